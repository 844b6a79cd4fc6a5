"""Who leads: session advisory locks on a connection of one's own, which PostgreSQL releases when the session dies."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import NamedTuple

import asyncpg

from background.commits import NEVER, Commits, prepare_waiting, wait_past
from background.waiting import pause, unless
from database import Database

STATEMENT_SECONDS = 5.0
CONFIRMED_SECONDS = 2.5
RETRY_SECONDS = 1.0
WATCH_SECONDS = 2.0  # less than what is confirmed, so that no lease has to ask
LOOK_SECONDS = 0.25
_SESSION = {
    "tcp_user_timeout": "10000",  # ms; a leader cut off loses its lock within these ten seconds
    "lock_timeout": "5s",
    "statement_timeout": "30s",
}

_LOST = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)


async def open_session(database: Database, **settings: str) -> asyncpg.Connection:
    """Open a connection for locks: PostgreSQL notices within ten seconds when its client is gone, and releases them."""
    return await database.connect(**_SESSION, **settings)


async def try_lock(connection: asyncpg.Connection, name: str) -> bool:
    """Take the session lock of this name unless another session has it."""
    return bool(
        await connection.fetchval(
            "select pg_try_advisory_lock(hashtextextended($1, 0))", name, timeout=STATEMENT_SECONDS
        )
    )


async def unlock(connection: asyncpg.Connection, name: str) -> None:
    """Give the session lock of this name back."""
    await connection.execute("select pg_advisory_unlock(hashtextextended($1, 0))", name, timeout=STATEMENT_SECONDS)


class Locks:
    """The locks of one worker, all in one session; when the session is lost, so is every lock, and holders notice.

    While it runs, as a part of the worker, the session waits for commits and tells `commits` of them.
    """

    name = "locks"

    def __init__(self, database: Database) -> None:
        self.commits = Commits()
        self._database = database
        self._connection: asyncpg.Connection | None = None
        self._turn = asyncio.Lock()
        self._answered_at = 0.0

    @contextlib.asynccontextmanager
    async def held(self, name: str, stop: asyncio.Event) -> AsyncIterator["Lease | None"]:
        """Wait until the lock of this name is ours, and hold it for the block; gives nothing once `stop` is set."""
        lease: Lease | None = None
        while lease is None and not stop.is_set():
            lease = await self._try(name)
            if lease is None:
                await pause(stop, RETRY_SECONDS)
        try:
            yield lease
        finally:
            if lease is not None:
                await self._release(lease)

    async def run(self, stop: asyncio.Event) -> None:
        """Tell of commits until `stop`; each answer confirms every lease. Raises what the session was lost by."""
        seen, prepared = NEVER, None
        try:
            while not stop.is_set():
                async with self._turn, self._answering() as connection:
                    if connection is not prepared:
                        await prepare_waiting(connection, timeout=STATEMENT_SECONDS)
                        prepared = connection
                    waiting = wait_past(
                        connection, seen, every=LOOK_SECONDS, longest=WATCH_SECONDS, answer_within=STATEMENT_SECONDS
                    )
                    present = await unless(stop, waiting)
                    self._answered_at = time.monotonic()
                if present is not None and present != seen:
                    seen = present
                    self.commits.tell()
        finally:
            self.commits.cease()

    async def close(self) -> None:
        """End the session, and with it every lock."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(*_LOST):
                await connection.close(timeout=2)

    async def confirm(self, lease: "Lease") -> None:
        """Raise `LeadershipLost` unless the session that holds this lease answers, or did 2.5 seconds ago or less."""
        if self._is_confirmed(lease):
            return
        async with self._turn:
            if self._is_confirmed(lease):
                return
            try:
                await lease.connection.fetchval("select 1", timeout=STATEMENT_SECONDS)
                self._answered_at = time.monotonic()
            except _LOST as error:
                await self._drop(lease.connection)
                raise LeadershipLost(lease.name) from error

    def _is_confirmed(self, lease: "Lease") -> bool:
        if self._connection is None or lease.connection is not self._connection:
            raise LeadershipLost(lease.name)
        return not lease.is_lost and time.monotonic() - self._answered_at < CONFIRMED_SECONDS

    async def _try(self, name: str) -> "Lease | None":
        async with self._turn, self._answering() as connection:
            return Lease(self, name, connection) if await try_lock(connection, name) else None

    @contextlib.asynccontextmanager
    async def _answering(self) -> AsyncIterator[asyncpg.Connection]:
        """Give the session, a new one if there is none; it is given up when it fails to answer in the block."""
        connection = self._connection
        if connection is None or connection.is_closed():
            connection = await open_session(self._database)
            self._connection = connection
        try:
            yield connection
        except _LOST:
            await self._drop(connection)
            raise

    async def _release(self, lease: "Lease") -> None:
        async with self._turn:
            if self._connection is None or lease.connection is not self._connection or lease.is_lost:
                return
            try:
                await unlock(lease.connection, lease.name)
            except _LOST:
                await self._drop(lease.connection)

    async def _drop(self, connection: asyncpg.Connection) -> None:
        if connection is self._connection:
            self._connection = None
        connection.terminate()


class Lease(NamedTuple):
    """One lock as held by one session."""

    locks: Locks
    name: str
    connection: asyncpg.Connection

    async def confirm(self) -> None:
        """Raise `LeadershipLost` unless the lock is still ours."""
        await self.locks.confirm(self)

    @property
    def is_lost(self) -> bool:
        """Whether the session is known to have ended."""
        return bool(self.connection.is_closed())


class LeadershipLost(Exception):
    """The session that held the lock is gone; another process may lead already."""
