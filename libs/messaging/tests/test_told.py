"""What operators read when something fails: why and where, in the form of real log lines, and no person's word."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest

from background import Job
from background.jobs import RunningJob
from database import Database
from messaging.publishing import NotAcknowledged
from messaging.pulling import Interrupted
from messaging.relay import Relay
from telemetry.logs import JsonLines

PHONE = "13812345678"


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Callable[[str], list[dict[str, Any]]]:
    """Give the lines of one event as production writes them."""
    caplog.set_level(logging.INFO)
    lines = JsonLines("members")
    return lambda event: [orjson.loads(lines.format(record)) for record in caplog.records if record.msg == event]


async def run_with(stage: Any, told: Callable[[str], list[dict[str, Any]]], event: str, *jobs: Job) -> dict[str, Any]:
    async def is_told() -> bool:
        return bool(told(event))

    worker = stage.worker(stage.consumer())
    worker._parts += [RunningJob(job, stage.database, worker._locks) for job in jobs]
    async with stage.running(worker):
        await stage.until(is_told)
    line = told(event)[0]
    assert PHONE not in orjson.dumps(line).decode()
    assert "withheld" not in line
    return line


async def test_a_failing_job_is_told_with_sql_state_and_place(stage: Any, told: Any) -> None:
    async def fail(database: Database) -> None:
        async with database.raw_transaction() as connection:
            await connection.execute("create temporary table phone (number text constraint uq_phone unique)")
            await connection.execute("insert into phone values ($1), ($1)", PHONE)

    line = await run_with(stage, told, "job_failed", Job("failing", timedelta(hours=1), fail))
    detail = line["error_detail"]
    assert (line["job"], detail["sqlstate"], detail["constraint_name"]) == ("failing", "23505", "uq_phone")
    assert any(place.startswith("tests/test_told.py:") for place in detail["at"])


async def test_a_failing_batch_is_told_with_type_and_place(stage: Any, told: Any) -> None:
    stage.fails = lambda _: ValueError(PHONE)
    await stage.append_many(1)
    detail = (await run_with(stage, told, "batch_failed"))["error_detail"]
    assert detail["type"] == "builtins.ValueError"
    assert detail["at"][-1].endswith(" handle")


async def test_a_refused_publication_is_told_with_the_brokers_code(
    stage: Any, told: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: Any) -> None:
        raise NotAcknowledged("refused with 10077: maximum bytes exceeded", err_code=10077)

    monkeypatch.setattr(Relay, "_begin", refuse)
    detail = (await run_with(stage, told, "publish_failed"))["error_detail"]
    assert (detail["type"], detail["err_code"]) == ("messaging.publishing.NotAcknowledged", 10077)


def test_the_reason_of_a_rewind_is_one_word() -> None:
    assert Interrupted("409 Consumer Deleted").code == "409_consumer_deleted"
