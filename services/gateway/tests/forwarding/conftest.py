"""What the forwarding tests share: a gateway before one service that the test tells how to behave."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
import pytest_asyncio

from gateway.forwarding.limits import MIB
from gateway.forwarding.routing import Route
from testkit.tokens import TokenIssuer
from webapi import Authenticator

from .door import HASTY, PATIENT, Door, opened
from .raw_service import RawService


@pytest.fixture(scope="session")
def token(issuer: TokenIssuer) -> str:
    return issuer.token(uuid4())


@pytest_asyncio.fixture
async def authenticator(issuer: TokenIssuer) -> AsyncIterator[Authenticator]:
    made = Authenticator(issuer.jwks_url, issuer.issuer, issuer.audience)
    yield made
    await made.close()


@pytest_asyncio.fixture
async def service() -> AsyncIterator[RawService]:
    async with RawService() as made:
        yield made


@pytest_asyncio.fixture
async def door(service: RawService, authenticator: Authenticator, token: str) -> AsyncIterator[Door]:
    routes = (
        Route("/v1/courses", "learning", timeouts=PATIENT, writing=PATIENT, max_body=4 * MIB),
        Route("/v1/streams", "learning", timeouts=PATIENT, writing=PATIENT, max_body=64 * MIB),
        *(Route(f"/v1/hasty/{part}", "learning", timeouts=times, writing=times) for part, times in HASTY.items()),
        Route("/v1/home", None),
        Route("/oauth2", "learning", public=True, cookies=True, timeouts=PATIENT, writing=PATIENT),
    )
    async with opened(routes, {"learning": service.url}, authenticator, token) as made:
        yield made
