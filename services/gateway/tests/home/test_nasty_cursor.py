"""A forged cursor of the home is the client's fault, whatever it holds."""

import base64
import json
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

import orgtree
from database import new_id
from gateway.forwarding.asking import Asking
from gateway.home.routes import router
from gateway.subjects.reading import Subjects
from testkit.nasty import refused_badly
from testkit.tokens import TokenIssuer
from webapi import Application, ServiceSettings, open_database

from .test_reading import Seeing


@pytest_asyncio.fixture
async def client(database_url: str, issuer: TokenIssuer) -> AsyncIterator[httpx.AsyncClient]:
    settings = ServiceSettings(
        database_url=database_url, nats_url="nats://127.0.0.1:4222", issuer=issuer.issuer, jwks_url=issuer.jwks_url
    )
    opened = open_database("gateway", settings)
    application = Application(
        "gateway",
        title="Gateway",
        description="Home.",
        settings=settings,
        database=opened,
        routers=[router],
        problems={},
        remit_resolver=orgtree.Permissions(opened).remit,
        checks={},
    )
    application.state.subjects = Subjects(Asking({}, public_url="http://gateway.test"))
    application.state.watch = Seeing()
    transport = httpx.ASGITransport(application)
    async with (
        application.router.lifespan_context(application),
        httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as http,
    ):
        yield http


async def test_no_nasty_value_is_an_error_of_ours(client: httpx.AsyncClient, issuer: TokenIssuer) -> None:
    assert await refused_badly(client, issuer.headers(new_id(), ()), {}) == []


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01T00:00:00"])
async def test_a_forged_cursor_is_refused(client: httpx.AsyncClient, issuer: TokenIssuer, time: str) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(["0" * 16, time, "key"]).encode()).decode()
    refused = await client.get("/v1/home", params={"cursor": cursor}, headers=issuer.headers(new_id(), ()))
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/cursor_invalid")
