"""A command sent twice takes effect once, whatever comes between the two."""

import asyncio
from uuid import UUID

import asyncpg
import httpx
import pytest
from libs.webapi.tests.orchard.application import Settings

from database import Database, asyncpg_dsn, new_id
from testkit.tokens import TokenIssuer
from webapi import Application, idempotency, purge_idempotency_keys


def tree(kind: str = "pear") -> dict[str, str]:
    return {"tree_id": str(new_id()), "kind": kind}


async def rows(settings: Settings, statement: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(asyncpg_dsn(settings.database_url))
    try:
        return list(await connection.fetch(statement))
    finally:
        await connection.close()


async def test_a_repeated_command_takes_effect_once_and_gets_the_first_answer(
    client: httpx.AsyncClient, headers: dict[str, str], settings: Settings
) -> None:
    body = tree()
    first = await client.post("/v1/trees", json=body, headers={**headers, "Idempotency-Key": "k-1"})
    again = await client.post("/v1/trees", json=body, headers={**headers, "Idempotency-Key": "k-1"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert first.headers["location"] == again.headers["location"] == f"/v1/trees/{body['tree_id']}"
    assert first.headers["etag"] == '"1"'
    assert "idempotency-replayed" not in first.headers
    assert again.headers.pop("idempotency-replayed") == "true"
    assert dict(again.headers) == dict(first.headers)
    assert len(await rows(settings, "select * from tree")) == 1


async def test_twenty_sendings_at_once_take_effect_once(
    client: httpx.AsyncClient, headers: dict[str, str], settings: Settings
) -> None:
    body = tree("slow")
    sent = [client.post("/v1/trees", json=body, headers={**headers, "Idempotency-Key": "at once"}) for _ in range(8)]
    answers = await asyncio.gather(*sent)
    assert {answer.status_code for answer in answers} == {201}
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 7
    assert len(await rows(settings, "select * from tree")) == 1


async def test_the_hot_path_keeps_the_same_rule(
    client: httpx.AsyncClient, headers: dict[str, str], settings: Settings
) -> None:
    body = tree()
    answers = [
        await client.put("/v1/trees/hot", json=body, headers={**headers, "Idempotency-Key": "hot"}) for _ in range(3)
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert [answer.headers.get("idempotency-replayed") for answer in answers] == [None, "true", "true"]
    assert len(await rows(settings, "select * from tree")) == 1


async def test_a_key_used_for_another_request_is_refused(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    keyed = {**headers, "Idempotency-Key": "one"}
    await client.post("/v1/trees", json=tree(), headers=keyed)
    other_body = await client.post("/v1/trees", json=tree(), headers=keyed)
    other_path = await client.put("/v1/trees/hot", json=tree(), headers=keyed)
    for answer in (other_body, other_path):
        assert answer.status_code == 422
        assert answer.json()["type"] == "/problems/idempotency_key_reused"


async def test_keys_of_two_persons_are_apart(
    client: httpx.AsyncClient, issuer: TokenIssuer, settings: Settings
) -> None:
    for _ in range(2):
        keyed = {**issuer.headers(new_id(), [("tree", new_id())]), "Idempotency-Key": "the same"}
        answer = await client.post("/v1/trees", json=tree(), headers=keyed)
        assert answer.status_code == 201
        assert "idempotency-replayed" not in answer.headers
    assert len(await rows(settings, "select * from tree")) == 2


async def test_a_refused_command_leaves_its_key_free(
    client: httpx.AsyncClient, headers: dict[str, str], settings: Settings
) -> None:
    keyed = {**headers, "Idempotency-Key": "after a refusal"}
    body = tree("failing")
    for _ in range(2):
        assert (await client.put("/v1/trees/hot", json=body, headers=keyed)).status_code == 409
    assert await rows(settings, "select * from idempotency_key") == []
    assert await rows(settings, "select * from tree") == []


async def test_without_a_key_every_sending_is_a_command(
    client: httpx.AsyncClient, headers: dict[str, str], settings: Settings
) -> None:
    for _ in range(2):
        assert (await client.post("/v1/trees", json=tree(), headers=headers)).status_code == 201
    assert len(await rows(settings, "select * from tree")) == 2
    assert await rows(settings, "select * from idempotency_key") == []


@pytest.mark.parametrize("key", ["", "k" * 201, "钥匙", "tab\there"])
async def test_a_key_that_is_no_printable_text_is_refused(
    client: httpx.AsyncClient, headers: dict[str, str], key: str
) -> None:
    keyed = {name.encode(): value.encode() for name, value in {**headers, "Idempotency-Key": key}.items()}
    answer = await client.post("/v1/trees", json=tree(), headers=keyed)
    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/idempotency_key_invalid"


async def test_neither_the_key_nor_the_answer_can_be_read_in_the_table(
    client: httpx.AsyncClient, headers: dict[str, str], settings: Settings
) -> None:
    body = tree("secret-pear")
    await client.post("/v1/trees", json=body, headers={**headers, "Idempotency-Key": "known-to-the-client"})
    [row] = await rows(settings, "select *, idempotency_key::text as everything from idempotency_key")
    for hidden in ("secret-pear", "known-to-the-client", b"secret-pear".hex(), body["tree_id"].encode().hex()):
        assert hidden not in row["everything"]
    assert row["operation"] == "POST /v1/trees"


async def test_purging_forgets_answers_after_two_days(
    client: httpx.AsyncClient, headers: dict[str, str], settings: Settings, application: Application
) -> None:
    for key in ("old", "young"):
        await client.post("/v1/trees", json=tree(), headers={**headers, "Idempotency-Key": key})
    await rows(
        settings,
        "update idempotency_key set created_at = now() - interval '49 hours'"
        " where ctid = (select min(ctid) from idempotency_key) returning 1",
    )
    database: Database = application.database
    await purge_idempotency_keys(database)
    assert len(await rows(settings, "select * from idempotency_key")) == 1


async def test_the_answer_and_the_effect_are_one_transaction(
    client: httpx.AsyncClient, headers: dict[str, str], settings: Settings, person: UUID
) -> None:
    await client.post("/v1/trees", json=tree(), headers={**headers, "Idempotency-Key": "together"})
    [row] = await rows(
        settings,
        "select person_id, idempotency_key.xmin::text = tree.xmin::text as together from idempotency_key, tree",
    )
    assert row["person_id"] == person
    assert row["together"]


@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "k-refused"}])
async def test_what_is_refused_with_effect_commits_and_keeps_no_answer(
    client: httpx.AsyncClient, headers: dict[str, str], settings: Settings, key: dict[str, str]
) -> None:
    kept, undone = tree(), {**tree(), "height": 1}
    for body in (undone, kept):
        refused = await client.post("/v1/trees/felled", json=body, headers={**headers, **key})
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/tree_felled")
        assert "idempotency-replayed" not in refused.headers
    planted = [str(row["tree_id"]) for row in await rows(settings, "select tree_id from tree")]
    assert kept["tree_id"] in planted
    assert undone["tree_id"] not in planted
    assert await rows(settings, "select * from idempotency_key where operation like '%felled'") == []


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_read_takes_no_key(
    client: httpx.AsyncClient, headers: dict[str, str], settings: Settings, method: str
) -> None:
    answer = await client.request(method, "/v1/trees", headers={**headers, "Idempotency-Key": "read"})
    assert answer.status_code == 400
    assert await rows(settings, "select * from idempotency_key") == []


async def test_an_answer_is_not_repeated_to_who_lost_a_permission_on_one_of_the_places(
    client: httpx.AsyncClient, issuer: TokenIssuer, settings: Settings, person: UUID
) -> None:
    orchard, garden = new_id(), new_id()
    body = tree()

    async def send(*places: UUID) -> httpx.Response:
        keyed = {**issuer.headers(person, [("tree", place) for place in places]), "Idempotency-Key": "office"}
        return await client.post("/v1/trees", json=body, headers=keyed)

    assert (await send(orchard)).status_code == 201
    assert (await send(garden, orchard)).headers["idempotency-replayed"] == "true"
    lost = await send(garden)
    assert (lost.status_code, lost.json()["type"]) == (403, "/problems/permission_missing")
    assert len(await rows(settings, "select * from tree")) == 1


async def test_an_answer_that_shows_a_secret_is_given_once_and_its_command_done_once(
    client: httpx.AsyncClient, headers: dict[str, str], settings: Settings
) -> None:
    body, keyed = tree(), {**headers, "Idempotency-Key": "secret"}
    first = await client.post("/v1/trees/fenced", json=body, headers=keyed)
    again = await client.post("/v1/trees/fenced", json=body, headers=keyed)
    assert first.json()["key"] == "shown-once"
    assert first.headers["cache-control"] == "no-store, no-transform"
    assert (again.status_code, again.json()["type"]) == (409, "/problems/answer_not_kept")
    assert len(await rows(settings, "select * from tree")) == 1
    [row] = await rows(settings, "select status, location, octet_length(body) as size from idempotency_key")
    assert (row["status"], row["location"]) == (None, None)
    assert row["size"] < len(first.content)


async def test_a_person_has_so_many_answers_kept_and_the_oldest_goes(
    client: httpx.AsyncClient, headers: dict[str, str], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "MOST_ANSWERS", 3)
    bodies = [tree() for _ in range(5)]
    for number, body in enumerate(bodies):
        await client.post("/v1/trees", json=body, headers={**headers, "Idempotency-Key": f"k-{number}"})
        assert len(await rows(settings, "select * from idempotency_key")) == min(number + 1, 3)
    youngest = await client.post("/v1/trees", json=bodies[4], headers={**headers, "Idempotency-Key": "k-4"})
    assert youngest.headers["idempotency-replayed"] == "true"


async def test_of_answers_that_are_kept_at_once_no_more_stay(
    client: httpx.AsyncClient, headers: dict[str, str], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "MOST_ANSWERS", 2)
    for number in range(3):
        keys = [{**headers, "Idempotency-Key": f"k-{number}-{each}"} for each in range(8)]
        await asyncio.gather(*(client.post("/v1/trees", json=tree("slow"), headers=keyed) for keyed in keys))
        assert len(await rows(settings, "select * from idempotency_key")) == 2


async def test_what_is_kept_for_a_person_has_so_many_bytes(
    client: httpx.AsyncClient, headers: dict[str, str], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "MOST_BYTES", 1000)
    for number in range(12):
        await client.post("/v1/trees", json=tree(), headers={**headers, "Idempotency-Key": f"k-{number}"})
    [kept] = await rows(settings, "select count(*), sum(octet_length(body)) as bytes from idempotency_key")
    assert 2 < kept["count"] < 12
    assert kept["bytes"] <= 1000
    monkeypatch.setattr(idempotency, "LARGEST_ANSWER", 20)
    keyed, body = {**headers, "Idempotency-Key": "large"}, tree()
    answers = [await client.post("/v1/trees", json=body, headers=keyed) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 409]
    assert answers[1].json()["type"] == "/problems/answer_not_kept"
