"""An API says that it is not ready while its database or NATS is gone, serves all the same, and recovers by itself."""

import asyncio
import importlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
import pytest_asyncio

from contracts.identity import SessionRevokedV1
from database import new_id, utc_now
from messaging import connect, streams
from messaging.outbox import encode
from standalone.services import NAMES
from testkit.databases import Template, TestDatabases
from testkit.proxy import TcpProxy
from testkit.tokens import TokenIssuer
from tests.flows.settings import settings_of
from webapi import Application


@pytest_asyncio.fixture
async def database_url(
    service: str, databases: TestDatabases, template_of: Callable[[str], Awaitable[Template]]
) -> AsyncIterator[str]:
    """The address of the service's migrated database."""
    async with databases.database(await template_of(service)) as url:
        yield url


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
    broker = await connect(nats_url, name="identity")
    await streams.declare_stream(broker, "identity")
    await broker.close()
    postgres, nats = (TcpProxy(urlsplit(url).port or 0) for url in (database_url, nats_url))
    async with postgres, nats:
        settings = settings_of(service, postgres.through(database_url), nats.through(nats_url), issuer)
        application: Application = importlib.import_module(f"{service}.app").SERVICE.application(settings)
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


@pytest.fixture
def issuer_of_settings() -> Iterator[TokenIssuer]:
    """Signs tokens as the provider at the address that the settings name."""
    with TokenIssuer(issuer="http://127.0.0.1:8080") as made:
        yield made


@pytest.mark.parametrize("service", ["identity", "members", "gateway"])
async def test_an_api_that_starts_without_nats_takes_no_token_that_it_cannot_judge(
    service: str, database_url: str, nats_url: str, issuer_of_settings: TokenIssuer
) -> None:
    issuer = issuer_of_settings
    session_id = new_id()
    ended, old = issuer.headers(new_id(), session_id=session_id), issuer.headers(new_id())
    await tell_of_the_end(nats_url, session_id)
    await asyncio.sleep(1.1)  # the moment of a token is told in seconds
    path = f"/v1/me/access-log/{service}"
    async with TcpProxy(urlsplit(nats_url).port or 0) as nats:
        await nats.refuse()
        settings = settings_of(service, database_url, nats.through(nats_url), issuer)
        application: Application = importlib.import_module(f"{service}.app").SERVICE.application(settings)
        assert application.operations is not None
        operations = httpx.AsyncClient(transport=httpx.ASGITransport(application.operations), base_url="http://x")
        public = httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://x")
        async with application.router.lifespan_context(application), operations, public:
            await failing(operations, ["nats", "revocations"])
            for headers in (ended, old):
                waiting = await public.get(path, headers=headers)
                assert (waiting.status_code, waiting.json()["type"]) == (503, "/problems/revocations_unknown")
                assert int(waiting.headers["retry-after"]) > 0
            new = issuer.headers(new_id())
            assert (await public.get(path, headers=new)).status_code == 200
            await nats.heal()
            await failing(operations, [])
            assert [(await public.get(path, headers=each)).status_code for each in (ended, old, new)] == [401, 200, 200]


async def tell_of_the_end(nats_url: str, session_id: UUID) -> None:
    """Publish that a session was ended, as identity does."""
    nats = await connect(nats_url, name="identity")
    await streams.declare_stream(nats, "identity")
    event, event_id = SessionRevokedV1(session_id=session_id), new_id()
    told = encode(event, event_id=event_id, version=1, time=utc_now())
    await nats.client.request(streams.subject_of(event), told, headers={"Nats-Msg-Id": str(event_id)}, timeout=5)
    await nats.close()
