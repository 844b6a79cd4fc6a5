"""A service's processes start patiently, say in one line why they cannot, and end without leaving work half done."""

import asyncio
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

import asyncpg
import httpx
import pytest
from libs.webapi.tests.orchard.application import Settings, create_application, open_worker

from database import asyncpg_dsn, new_id
from testkit.service_process import ServiceProcess
from webapi import CannotStart, serve
from webapi.processes import listen

HERE = Path(__file__).parent
MIGRATIONS = HERE / "orchard" / "migrations"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def environment(settings: Settings, **changed: str) -> dict[str, str]:
    return {
        "PYTHONPATH": str(HERE.parents[2]),
        "PYTHONWARNINGS": "error",
        "XIANGQIAO_DATABASE_URL": settings.database_url,
        "XIANGQIAO_NATS_URL": settings.nats_url,
        "XIANGQIAO_ISSUER": settings.issuer,
        "XIANGQIAO_JWKS_URL": settings.jwks_url,
        "XIANGQIAO_STARTUP_WAIT_SECONDS": "1",
        **changed,
    }


async def run(command: str, settings: Settings, **changed: str) -> tuple[int, list[str]]:
    """Run a process to its end; give its exit code and the lines it wrote."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "libs.webapi.tests.orchard", *command.split()),
        env={**os.environ, **environment(settings, **changed)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(60):
        output, _ = await process.communicate()
    text = output.decode()
    assert "Traceback" not in text
    assert process.returncode is not None
    return process.returncode, text.splitlines()


class Orchard(ServiceProcess):
    """A process of the small service that serves."""

    def __init__(
        self, command: str, settings: Settings, log: Path, *, ready_port: int | None = None, **changed: str
    ) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        super().__init__(
            [sys.executable, "-m", "libs.webapi.tests.orchard", command],
            log=log,
            environment=environment(settings, XIANGQIAO_PORT=str(port), **changed),
            ready_url=f"http://127.0.0.1:{ready_port or port}/health/ready",
        )

    @property
    def events(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.log.read_text().splitlines()]


async def trees(settings: Settings) -> list[str]:
    connection = await asyncpg.connect(asyncpg_dsn(settings.database_url))
    try:
        return [row["kind"] for row in await connection.fetch("select kind from tree order by kind")]
    finally:
        await connection.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_lets_requests_and_worker_finish_and_exits_0(
    settings: Settings, headers: dict[str, str], number: signal.Signals, tmp_path: Path
) -> None:
    service = Orchard("all", settings, tmp_path / "log")
    async with service, httpx.AsyncClient(base_url=service.url) as client:
        assert (await client.get("/v1/trees", headers=headers)).is_success
        body = {"tree_id": str(new_id()), "kind": "slow"}
        request = asyncio.create_task(client.post("/v1/trees", json=body, headers=headers))
        await asyncio.sleep(0.15)
        os.kill(service.pid, number)
        assert (await request).status_code == 201
        assert await service.stop() == 0
    assert service.events == ["listening", "ended"]
    assert await trees(settings) == ["drained", "slow"]


async def test_an_api_that_leaves_serves_on_and_sends_everybody_elsewhere(
    settings: Settings, headers: dict[str, str], tmp_path: Path
) -> None:
    service = Orchard("api", settings, tmp_path / "log", XIANGQIAO_LEAVE_SECONDS="3")
    async with service, httpx.AsyncClient(base_url=service.url) as client:
        before = await client.get("/v1/trees", headers=headers)
        body = {"tree_id": str(new_id()), "kind": "slow"}
        under_way = asyncio.create_task(client.post("/v1/trees", json=body, headers=headers))
        await asyncio.sleep(0.15)
        os.kill(service.pid, signal.SIGTERM)
        answers = [await under_way]
        live = await client.get("/health/live")
        for _ in range(2):  # over connections of their own, both of the answer at once and of the one by pieces
            answers += [await client.get(path, headers=headers) for path in ("/v1/trees", "/v1/nothing", "/metrics")]
        assert "connection" not in before.headers
        assert {answer.headers["connection"] for answer in [live, *answers]} == {"close"}
        assert [answer.status_code for answer in answers] == [201, *[200, 404, 200] * 2]
        assert (live.status_code, live.json()) == (503, {"status": "leaving"})
        assert service.is_running
        assert await service.stop() == 0  # told a second time, it leaves at once
    assert service.events == ["listening", "leaving", "ended"]


@pytest.mark.parametrize(("command", "number"), [("api", signal.SIGINT), ("worker", signal.SIGTERM)])
async def test_neither_a_person_at_a_terminal_nor_a_worker_waits_to_leave(
    settings: Settings, command: str, number: signal.Signals, tmp_path: Path
) -> None:
    service = Orchard(command, settings, tmp_path / "log", XIANGQIAO_LEAVE_SECONDS="60")
    async with service:
        os.kill(service.pid, number)
        async with asyncio.timeout(20):
            while service.is_running:
                await asyncio.sleep(0.05)
    assert service.events == ["listening", "ended"]


async def test_a_worker_process_serves_health_and_metrics_and_drains(settings: Settings, tmp_path: Path) -> None:
    service = Orchard("worker", settings, tmp_path / "log")
    async with service, httpx.AsyncClient(base_url=service.url) as client:
        assert (await client.get("/health/ready")).json()["checks"] == ["database", "worker"]
        assert (await client.get("/metrics")).status_code == 200
        assert (await client.get("/v1/trees")).status_code == 404
        assert await service.stop() == 0
    assert await trees(settings) == ["drained"]


async def test_an_api_process_serves_http_alone(settings: Settings, headers: dict[str, str], tmp_path: Path) -> None:
    service = Orchard("api", settings, tmp_path / "log")
    async with service, httpx.AsyncClient(base_url=service.url) as client:
        assert (await client.get("/health/ready")).json()["checks"] == ["database"]
        assert (await client.get("/v1/trees", headers=headers)).json() == {"items": [], "next_cursor": None}
        assert await service.stop() == 0
    assert await trees(settings) == []


async def test_an_operations_port_takes_readiness_and_metrics_off_the_public_one(
    settings: Settings, tmp_path: Path
) -> None:
    apart = free_port()
    changed = {"XIANGQIAO_OPERATIONS_PORT": str(apart), "XIANGQIAO_LEAVE_SECONDS": "30"}
    service = Orchard("all", settings, tmp_path / "log", ready_port=apart, **changed)
    async with service, httpx.AsyncClient() as client:
        for path in ("/health/ready", "/metrics"):
            assert (await client.get(f"http://127.0.0.1:{apart}{path}")).status_code == 200
            refused = await client.get(f"{service.url}{path}")
            assert (refused.status_code, refused.json()["type"]) == (404, "/problems/not_found")
        assert (await client.get(f"{service.url}/health/live")).status_code == 200
        assert (await client.get(f"http://127.0.0.1:{apart}/v1/trees")).status_code == 404
        os.kill(service.pid, signal.SIGTERM)
        for url in (service.url, f"http://127.0.0.1:{apart}"):
            async with asyncio.timeout(20):
                while (await client.get(f"{url}/health/live")).json() != {"status": "leaving"}:
                    await asyncio.sleep(0.05)
        assert await service.stop() == 0
    assert service.events == ["listening", "listening", "leaving", "ended"]


async def test_a_worker_listens_on_the_operations_port_alone(settings: Settings, tmp_path: Path) -> None:
    apart = free_port()
    service = Orchard("worker", settings, tmp_path / "log", ready_port=apart, XIANGQIAO_OPERATIONS_PORT=str(apart))
    async with service, httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"{service.url}/health/live")
        assert await service.stop() == 0


async def test_a_worker_that_fails_ends_the_process_with_one_line_and_no_value(settings: Settings) -> None:
    code, lines = await run("all", settings, XIANGQIAO_PORT="0", XIANGQIAO_TROUBLE="worker")
    assert code == 1
    assert lines[-1] == "orchard: the worker failed (RuntimeError); the log tells where."
    assert "13812345678" not in "".join(lines)


async def test_what_cannot_start_says_why(settings: Settings) -> None:
    code, lines = await run("api", settings, XIANGQIAO_PORT="0", XIANGQIAO_TROUBLE="start")
    assert (code, lines[-1]) == (1, "orchard: the soil is frozen; wait for spring.")


def test_a_taken_port_is_one_line(settings: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart) as failure:
            listen(settings.model_copy(update={"port": port}))
    assert str(failure.value) == f"port taken: 127.0.0.1:{port}; stop what uses it or set XIANGQIAO_PORT."


async def test_a_database_that_does_not_answer_is_waited_for_and_then_one_line(settings: Settings) -> None:
    port = free_port()
    url = f"postgresql://orchard:s3cret@127.0.0.1:{port}/orchard"
    began = time.monotonic()
    code, lines = await run("api", settings, XIANGQIAO_PORT="0", XIANGQIAO_DATABASE_URL=url)
    assert time.monotonic() - began > 1
    assert code == 1
    assert lines[-1] == (
        f"orchard: cannot reach the database orchard at 127.0.0.1:{port} within 1 s (ConnectionRefusedError);"
        " start it or correct XIANGQIAO_DATABASE_URL."
    )
    assert "s3cret" not in "".join(lines)


@pytest.mark.parametrize("command", ["all", "migrate"])
async def test_data_of_a_newer_version_is_one_line_that_says_so(settings: Settings, command: str) -> None:
    connection = await asyncpg.connect(asyncpg_dsn(settings.database_url))
    await connection.execute("update alembic_version set version_num = '9999'")
    await connection.execute("update schema_window set oldest_code = '9999'")
    await connection.close()
    code, lines = await run(command, settings, XIANGQIAO_PORT="0")
    assert code == 1
    (line,) = lines
    assert line == (
        "orchard: wrong data version: the database is at revision 9999, which this version does not know,"
        " so a newer one wrote it; install the newer release."
    )


async def test_a_database_that_is_not_migrated_is_waited_for_and_then_one_line(
    settings: Settings, tmp_path: Path
) -> None:
    connection = await asyncpg.connect(asyncpg_dsn(settings.database_url))
    await connection.execute("alter table alembic_version rename to aside")
    code, lines = await run("api", settings, XIANGQIAO_PORT="0")
    assert (code, lines[-1]) == (
        1,
        "orchard: wrong data version: the database is at revision None, this version needs 0001; migrate first.",
    )
    service = Orchard("api", settings, tmp_path / "log", XIANGQIAO_STARTUP_WAIT_SECONDS="60")
    starting = asyncio.create_task(service.start())
    async with asyncio.timeout(30):
        while not (service.log.exists() and "waiting_for_migration" in service.events):
            await asyncio.sleep(0.05)
    await connection.execute("alter table aside rename to alembic_version")
    await starting
    name = "select count(*) from pg_stat_activity where application_name = 'orchard/api/0001'"
    assert await connection.fetchval(name + " and datname = current_database()")
    assert await service.stop() == 0
    await connection.close()


async def test_a_migration_that_fails_is_one_line_and_is_not_tried_again(settings: Settings) -> None:
    connection = await asyncpg.connect(asyncpg_dsn(settings.database_url))
    await connection.execute("drop table alembic_version")
    await connection.close()
    code, lines = await run("migrate", settings)
    assert (code, lines[-1]) == (1, "orchard: the migration failed (ProgrammingError); the log tells where.")
    assert [json.loads(line)["event"] for line in lines[:-1]] == ["migration_failed"]


async def test_migrate_brings_an_empty_database_to_the_newest_revision(settings: Settings) -> None:
    connection = await asyncpg.connect(asyncpg_dsn(settings.database_url))
    await connection.execute("drop table tree, idempotency_key, alembic_version")
    code, lines = await run("migrate", settings)
    assert (code, json.loads(lines[-1])["revision"]) == (0, ["0001"])
    assert await connection.fetchval("select count(*) from tree") == 0
    await connection.close()


async def test_a_task_tells_what_came_of_it_and_takes_arguments(settings: Settings) -> None:
    assert await run("harvest", settings) == (0, ["3 baskets"])
    assert await run("count --kind pear", settings) == (0, ["0 of pear"])
    code, lines = await run("count", settings)
    assert (code, lines[-1]) == (2, "python -m orchard count: error: the following arguments are required: --kind")
    code, lines = await run("count --help", settings, XIANGQIAO_DATABASE_URL="")
    assert (code, "Count the trees." in lines, any("--kind" in line for line in lines)) == (0, True, True)


async def test_a_task_that_cannot_be_done_is_one_line_that_says_why(settings: Settings) -> None:
    assert await run("harvest", settings, XIANGQIAO_TROUBLE="unripe") == (
        1,
        ["orchard: nothing is ripe; wait for autumn."],
    )


async def test_a_task_that_fails_ends_with_one_line_and_no_value(settings: Settings) -> None:
    code, lines = await run("harvest", settings, XIANGQIAO_TROUBLE="hail")
    assert (code, lines[-1]) == (1, "orchard: harvest failed (RuntimeError); the log tells where.")
    assert [json.loads(line)["event"] for line in lines[:-1]] == ["task_failed"]
    assert "13812345678" not in "".join(lines)


@pytest.mark.parametrize(("command", "code"), [("--help", 0), ("dance", 2), ("api", 2)])
def test_help_wrong_commands_and_missing_settings_end_before_anything_begins(
    command: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("XIANGQIAO_DATABASE_URL", raising=False)
    with pytest.raises(SystemExit) as ended:
        serve(
            "orchard",
            settings=Settings,
            application=create_application,
            worker=open_worker,
            migrations=MIGRATIONS,
            arguments=[command],
        )
    assert ended.value.code == code
    told = capsys.readouterr()
    if command == "api":
        assert told.err.startswith("XIANGQIAO_DATABASE_URL is not set; ")
        assert told.err.count("\n") == 1
    else:
        assert "migrate" in told.out + told.err
