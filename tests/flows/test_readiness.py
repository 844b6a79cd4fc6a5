"""An API says that it is not ready while its database or NATS is gone, serves all the same, and recovers by itself."""

import asyncio
import importlib
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from database import migrations
from standalone.services import NAMES
from testkit.proxy import TcpProxy
from testkit.tokens import TokenIssuer
from tests.flows.settings import settings_of
from webapi import Application

SERVICES = Path(__file__).parents[2] / "services"


async def failing(client: httpx.AsyncClient, expected: list[str]) -> None:
    """Ask until exactly these checks fail; readiness is 200 when none does and 503 else."""
    async with asyncio.timeout(20):
        while True:
            answer = await client.get("/health/ready")
            failed = answer.json().get("failed", [])
            assert answer.status_code == (503 if failed else 200)
            if failed == expected:
                return
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("service", NAMES)
async def test_readiness_follows_database_and_nats_while_the_api_serves(
    service: str, database_url: str, nats_url: str, issuer: TokenIssuer
) -> None:
    await migrations.upgrade(database_url, SERVICES / service / "migrations")
    postgres, nats = (TcpProxy(urlsplit(url).port or 0) for url in (database_url, nats_url))
    async with postgres, nats:
        settings = settings_of(service, postgres.through(database_url), nats.through(nats_url), issuer)
        application: Application = importlib.import_module(f"{service}.app").create_application(settings)
        assert application.operations is not None
        operations = httpx.AsyncClient(transport=httpx.ASGITransport(application.operations), base_url="http://x")
        public = httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://x")
        async with application.router.lifespan_context(application), operations, public:
            await failing(operations, [])
            for proxy, name in ((nats, "nats"), (postgres, "database")):
                await proxy.refuse()
                await failing(operations, [name])
                assert (await public.get("/health/live")).status_code == 200
                assert (await public.get("/v1/nothing")).status_code == 404
                await proxy.heal()
                await failing(operations, [])
