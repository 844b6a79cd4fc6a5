"""The gateway in this process, with the owners of acts behind it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest_asyncio

from database import Database
from testkit.tokens import TokenIssuer

from ..forwarding.raw_service import RawService
from ..in_process import SERVICES, opened, settings_of
from .owners import Owners


@pytest_asyncio.fixture
async def owners(database: Database, database_url: str, issuer: TokenIssuer) -> AsyncIterator[Owners]:
    made = Owners()
    made.issuer = issuer
    async with AsyncExitStack() as stack:
        urls = {
            service: (await stack.enter_async_context(RawService(made.behaviour(service)))).url for service in SERVICES
        }
        made.gateway = await stack.enter_async_context(opened(settings_of(database_url, issuer, urls=urls)))
        yield made
