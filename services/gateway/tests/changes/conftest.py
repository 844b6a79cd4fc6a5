"""A gateway that is served, and who asks it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from testkit.tokens import TokenIssuer

from .serving import ME, Served, served


@pytest_asyncio.fixture
async def gateway(database_url: str, issuer: TokenIssuer) -> AsyncIterator[Served]:
    async with served(database_url, issuer) as up:
        yield up


@pytest.fixture
def me(issuer: TokenIssuer) -> dict[str, str]:
    return dict(issuer.headers(ME))
