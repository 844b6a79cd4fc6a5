"""Keeps the quotas of this process true while it runs: what identity told of clients, and its shares of them."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from time import monotonic
from typing import Final

from database import Database, new_id
from gateway.quotas.buckets import REFRESH_SECONDS, Quota, Quotas
from gateway.quotas.shares import exchange, leave

AT_REST_SECONDS: Final = 15.0
"""How often a process tells that it is there while nobody asks it."""
_TOLD: Final = "select client_id, requests_per_minute, suspended, origins from client_quota"

log = logging.getLogger(__name__)


def kept(quotas: Quotas, database: Database) -> Callable[[object], AbstractAsyncContextManager[None]]:
    """Give the hook that keeps `quotas` by `database` while the application runs."""

    @asynccontextmanager
    async def keeping(_: object) -> AsyncIterator[None]:
        await _read(quotas, database)
        task = asyncio.create_task(_keep(quotas, database))
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    return keeping


async def _read(quotas: Quotas, database: Database) -> None:
    try:
        async with database.look() as connection:
            rows = await connection.fetch(_TOLD)
        quotas.replace({client: Quota(most, out, frozenset(origins)) for client, most, out, origins in rows})
    except Exception:  # whatever keeps the database from answering, what was read last goes on to hold
        log.exception("quotas_not_read")


async def _keep(quotas: Quotas, database: Database) -> None:
    replica_id, told_at, asked_at = new_id(), -AT_REST_SECONDS, monotonic()
    try:
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            await _read(quotas, database)
            now = monotonic()
            needs, asked_at = quotas.needs(now - asked_at), now
            if not needs and now - told_at < AT_REST_SECONDS:
                continue
            try:
                async with database.raw_transaction() as connection:
                    shares = await exchange(connection, replica_id, needs)
            except Exception:  # as above: the last shares hold
                log.exception("shares_not_exchanged")
                continue
            quotas.share(shares)
            told_at = now
    finally:
        with contextlib.suppress(Exception):  # else they fall to the others in a minute
            async with asyncio.timeout(1), database.raw_transaction() as connection:
                await leave(connection, replica_id)
