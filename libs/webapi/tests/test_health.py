"""Readiness names what fails, waits two seconds at most, and recovers by itself."""

import asyncio
import logging
from time import perf_counter
from urllib.parse import urlsplit

import httpx
import pytest
from libs.webapi.tests.orchard.application import Settings, create_application

from testkit.proxy import TcpProxy
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


async def test_readiness_fails_while_the_database_is_gone(settings: Settings) -> None:
    async with TcpProxy(urlsplit(settings.database_url).port or 0) as proxy:
        through = settings.model_copy(update={"database_url": proxy.through(settings.database_url)})
        application = create_application(through)
        transport = httpx.ASGITransport(application)
        async with (
            application.router.lifespan_context(application),
            httpx.AsyncClient(transport=transport, base_url="http://orchard.test") as client,
        ):
            assert (await client.get("/health/ready")).status_code == 200
            for silent in (False, True):
                if silent:
                    proxy.hold()
                else:
                    await proxy.refuse()
                answer = await client.get("/health/ready")
                assert (answer.status_code, answer.json()["failed"]) == (503, ["database"])
                await proxy.heal()
                async with asyncio.timeout(10):
                    while (await client.get("/health/ready")).status_code != 200:
                        await asyncio.sleep(0.05)


async def test_metrics_are_in_prometheus_text_format(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "# TYPE process_resident_memory_bytes gauge" in answer.text
