"""Readiness names what fails, waits two seconds at most, and recovers by itself."""

import asyncio
import logging
from time import perf_counter

import httpx
import pytest

from webapi import Application


async def test_a_check_that_fails_or_hangs_is_named_and_recovery_needs_nobody(
    client: httpx.AsyncClient, application: Application, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    broken = True

    async def shed() -> None:
        if broken:
            raise ConnectionError("13812345678")

    async def well() -> None:
        if broken:
            await asyncio.sleep(60)

    application.checks.update(shed=shed, well=well)
    began = perf_counter()
    answer = await client.get("/health/ready")
    assert perf_counter() - began < 4
    assert (answer.status_code, answer.json()) == (503, {"status": "not ready", "failed": ["shed", "well"]})
    assert (await client.get("/health/live")).status_code == 200
    broken = False
    answer = await client.get("/health/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "checks": ["database", "shed", "well"]})
    assert [record.msg for record in caplog.records if record.name == "webapi.health"] == ["not_ready", "ready_again"]


async def test_readiness_fails_while_the_database_is_gone(client: httpx.AsyncClient, application: Application) -> None:
    async def gone() -> None:
        raise OSError

    application.checks["database"] = gone
    assert (await client.get("/health/ready")).json()["failed"] == ["database"]
    application.checks["database"] = application.database.ping
    assert (await client.get("/health/ready")).status_code == 200


async def test_metrics_are_in_prometheus_text_format(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "# TYPE process_resident_memory_bytes gauge" in answer.text
