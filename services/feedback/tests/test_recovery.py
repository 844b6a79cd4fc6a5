"""While what a restored database forgot is not settled, nobody is answered by what may have been ended since."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from httpx import ASGITransport, AsyncClient

from database import Database, raw
from feedback.app import SERVICE
from orgtree import ROOT_ID
from service import catching_up
from testkit.county import County
from webapi import Application
from webapi.sealing import SealingSettings


async def _until(answer: Callable[[], Awaitable[int]], wanted: int) -> None:
    async with asyncio.timeout(15):
        while await answer() != wanted:
            await asyncio.sleep(0.05)


async def test_a_recovery_shuts_the_service_until_it_is_over(
    settings: SealingSettings, database: Database, county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catching_up, "LOOK_SECONDS", 0.1)
    officer = county.person(("officer", ROOT_ID))
    application: Application = SERVICE.application(settings)
    async with (
        application.router.lifespan_context(application),
        AsyncClient(transport=ASGITransport(application), base_url="http://feedback") as client,
    ):

        async def status(path: str = "/v1/cases") -> int:
            return (await client.get(path, headers=officer.headers)).status_code

        async def readiness() -> list[str]:
            return list((await client.get("/health/ready")).json()["failed"])

        assert await status() == 200
        async with database.transaction() as session:
            await (await raw(session)).execute(
                "insert into outbox_recovery (stream, until_seq) values ('EVT_FEEDBACK', 7)"
            )
        await _until(status, 503)
        refused = await client.get("/v1/cases", headers=officer.headers)
        assert refused.json()["type"] == "/problems/catching_up"
        assert int(refused.headers["retry-after"]) > 0
        assert await status("/health/live") == 200
        assert "recovery" in await readiness()
        async with database.transaction() as session:
            await (await raw(session)).execute("update outbox_recovery set ended_at = now()")
        await _until(status, 200)
        assert "recovery" not in await readiness()
