"""The pages in front of two services, for each test."""

from collections.abc import AsyncIterator

import pytest_asyncio

from database import Database

from .served import System, opened


@pytest_asyncio.fixture
async def system(database: Database) -> AsyncIterator[System]:
    async with opened(database) as made:
        yield made
