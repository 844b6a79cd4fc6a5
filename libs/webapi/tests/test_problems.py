"""Whatever goes wrong is told as problem details, and tells nothing more than it should."""

import asyncio
import logging

import asyncpg
import httpx
import pytest
import sqlalchemy.exc

from database import new_id
from testkit.databases import TestDatabases
from webapi import Application
from webapi.problems import Problem, Problems, Refusal


def problem(answer: httpx.Response) -> dict[str, object]:
    assert answer.headers["content-type"] == "application/problem+json"
    content: dict[str, object] = answer.json()
    assert content["status"] == answer.status_code
    assert content["instance"] == f"/traces/{content['trace_id']}"
    return content


async def test_an_error_of_the_domain_becomes_its_problem_with_the_named_members_alone(
    client: httpx.AsyncClient,
) -> None:
    tree_id = new_id()
    content = problem(await client.get(f"/v1/trees/{tree_id}", headers={"Accept-Language": "en"}))
    content.pop("instance")
    content.pop("trace_id")
    assert content == {
        "type": "/problems/tree_felled",
        "title": "The tree is felled.",
        "status": 409,
        "detail": "It was felled in autumn.",
        "tree_id": str(tree_id),
    }


async def test_titles_are_chinese_unless_english_is_asked_for(client: httpx.AsyncClient) -> None:
    chinese = await client.get("/v1/nothing")
    english = await client.get("/v1/nothing", headers={"Accept-Language": "en"})
    assert (problem(chinese)["title"], chinese.headers["content-language"]) == ("未找到。", "zh-CN")
    assert (problem(english)["title"], english.headers["content-language"]) == ("There is no such thing.", "en")


async def test_validation_names_place_and_rule_and_never_the_value(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    body = {"tree_id": "张三13812345678", "kind": "k" * 21, "height": -1, "owner": "李四"}
    answer = await client.post("/v1/trees", json=body, headers={**headers, "Accept-Language": "en"})
    content = problem(answer)
    assert content["type"] == "/problems/invalid"
    assert content["errors"] == [
        {"pointer": "/body/tree_id", "rule": "uuid_parsing", "message": "This must be a UUID."},
        {"pointer": "/body/kind", "rule": "string_too_long", "message": "This may have at most 20 characters."},
        {"pointer": "/body/height", "rule": "greater_than_equal", "message": "This must be at least 0."},
        {"pointer": "/body/owner", "rule": "extra_forbidden", "message": "There is no such field."},
    ]
    for value in ("张三", "13812345678", "李四", "kkkk"):
        assert value not in answer.text


async def test_validation_speaks_chinese(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    content = problem(await client.get("/v1/trees?limit=999", headers=headers))
    assert content["errors"] == [{"pointer": "/query/limit", "rule": "less_than_equal", "message": "不应大于 200。"}]


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[" * 100_000])
async def test_a_body_that_is_no_json_is_the_clients_mistake(
    client: httpx.AsyncClient, headers: dict[str, str], body: bytes
) -> None:
    answer = await client.post("/v1/trees", content=body, headers={**headers, "Content-Type": "application/json"})
    assert answer.status_code in {400, 422}
    problem(answer)


async def test_a_character_that_postgresql_cannot_keep_is_the_clients_mistake(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    for method, path in (("POST", "/v1/trees"), ("PUT", "/v1/trees/hot")):
        body = {"tree_id": str(new_id()), "kind": "pe\u0000ar"}
        answer = await client.request(method, path, json=body, headers=headers)
        assert (answer.status_code, problem(answer)["type"]) == (422, "/problems/text_invalid")


async def test_another_method_and_another_path_are_problems(client: httpx.AsyncClient) -> None:
    wrong_method = await client.patch("/v1/trees")
    assert problem(wrong_method)["type"] == "/problems/method_not_allowed"
    assert wrong_method.headers["allow"] == "DELETE, GET, HEAD, POST"
    assert problem(await client.get("/v1/"))["type"] == "/problems/not_found"


async def test_an_unforeseen_error_tells_the_client_its_trace_and_the_log_its_place(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    answer = await client.delete(
        "/v1/trees?phone=13812345678", headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    )
    content = problem(answer)
    assert (answer.status_code, content["type"]) == (500, "/problems/internal")
    assert content["trace_id"] == trace
    assert "13812345678" not in answer.text
    [record] = [record for record in caplog.records if record.msg == "request_failed"]
    assert record.levelno == logging.ERROR
    assert (record.__dict__["route"], record.__dict__["method"]) == ("/v1/trees", "DELETE")
    assert record.exc_info is not None
    assert record.exc_info[0] is RuntimeError


async def test_connections_that_the_server_ended_are_replaced_without_failing_a_request(
    client: httpx.AsyncClient, headers: dict[str, str], application: Application
) -> None:
    administration = await asyncpg.connect(application.database.dsn)
    try:
        for method, path in (("POST", "/v1/trees"), ("PUT", "/v1/trees/hot")) * 2:
            body = {"tree_id": str(new_id()), "kind": "pear"}
            assert (await client.request(method, path, json=body, headers=headers)).is_success
            await administration.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where pid <> pg_backend_pid() and datname = current_database() and usename = current_user"
            )
            await asyncio.sleep(0.1)
    finally:
        await administration.close()


async def test_a_database_that_is_away_makes_requests_503_until_it_is_back(
    client: httpx.AsyncClient, headers: dict[str, str], application: Application, databases: TestDatabases
) -> None:
    name = application.database.dsn.rpartition("/")[2]
    administration = await asyncpg.connect(databases.superuser_url)
    body = {"tree_id": str(new_id()), "kind": "pear"}
    try:
        await administration.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1", name
        )
        await administration.execute(f'alter database "{name}" rename to "{name}_away"')
        for method, path in (("POST", "/v1/trees"), ("PUT", "/v1/trees/hot")):
            answer = await client.request(method, path, json=body, headers=headers)
            assert (answer.status_code, problem(answer)["type"]) == (503, "/problems/unavailable")
            assert 2 <= int(answer.headers["retry-after"]) <= 4
        assert (await client.get("/health/ready")).json()["failed"] == ["database"]
        await administration.execute(f'alter database "{name}_away" rename to "{name}"')
        assert (await client.post("/v1/trees", json=body, headers=headers)).is_success
        assert (await client.get("/health/ready")).status_code == 200
    finally:
        await administration.close()


def database_error(sqlstate: str) -> asyncpg.PostgresError:
    error = asyncpg.PostgresError("a row's values")
    error.sqlstate = sqlstate
    return error


def adapted(error: Exception) -> Exception:
    """Give an error of the driver as SQLAlchemy's adapter raises it where no statement is run."""
    adapter = RuntimeError()
    adapter.__cause__ = error
    return adapter


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (sqlalchemy.exc.TimeoutError("pool"), 503),
        (TimeoutError(), 503),
        (ConnectionRefusedError(), 503),
        (asyncpg.InterfaceError("connection is closed"), 503),
        (asyncpg.InterfaceError("cannot perform operation: another operation is in progress"), 500),
        (asyncpg.InternalClientError("cannot switch to state 15; another operation (2) is in progress"), 503),
        (adapted(asyncpg.InternalClientError("cannot switch to state 15")), 503),
        (asyncpg.TooManyConnectionsError("full"), 503),
        (asyncpg.CannotConnectNowError("starting"), 503),
        (asyncpg.AdminShutdownError("bye"), 503),
        (asyncpg.SerializationError("again"), 503),
        (asyncpg.DeadlockDetectedError("again"), 503),
        (database_error("25P04"), 503),
        (asyncpg.UniqueViolationError("key"), 500),
        (sqlalchemy.exc.OperationalError("select", {}, asyncpg.ConnectionDoesNotExistError("gone")), 503),
        (sqlalchemy.exc.IntegrityError("insert", {}, asyncpg.UniqueViolationError("key")), 500),
        (KeyError("x"), 500),
        (FileNotFoundError("x"), 500),
    ],
)
def test_what_passes_by_itself_is_503_and_the_rest_is_500(error: Exception, status: int) -> None:
    assert Problems({}).of(error).problem.status == status


def test_a_subclass_of_a_mapped_error_is_told_like_it() -> None:
    class Sick(Exception):
        pass

    class VerySick(Sick):
        pass

    table = Problems({Sick: Problem(409, "sick", "Sick.", "病。")})
    assert table.of(VerySick()).problem.code == "sick"
    assert table.of(Refusal(Problem(418, "tea", "Tea.", "茶。"))).problem.code == "tea"
