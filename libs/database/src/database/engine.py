"""One service's PostgreSQL: the pool, and the only function that commits."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
from sqlalchemy import URL, event, make_url, text
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.util import await_only, greenlet_spawn

CLOSE_SECONDS = 2.0
PING_SECONDS = 2.0
_DRIVER = "driver_connection"


def asyncpg_dsn(url: str | URL) -> str:
    """Give the plain `postgresql://` form of `url`, with its password, as asyncpg and command-line tools read it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _refuse_closed(adapter: Any, *_: object) -> None:
    """Renew the pool when the server ended a connection that lay in it: the driver knows without asking the server."""
    if adapter.driver_connection.is_closed():
        raise InvalidatePoolError


class Database:
    """The pooled connections of one process to its service's database.

    An open write transaction anywhere in the cluster holds back every relay, so each transaction is bounded by
    `transaction_timeout_seconds` and an idle one by a third of it (PostgreSQL ends the session beyond that).
    """

    def __init__(
        self,
        url: str,
        *,
        application_name: str,
        pool_size: int = 10,
        max_overflow: int = 0,
        pool_timeout_seconds: float = 10.0,
        transaction_timeout_seconds: int = 30,
    ) -> None:
        self.dsn = asyncpg_dsn(url)
        self.application_name = application_name
        self._server_settings = {
            "application_name": application_name,
            "timezone": "UTC",
            "transaction_timeout": f"{transaction_timeout_seconds}s",
            "idle_in_transaction_session_timeout": f"{max(1, transaction_timeout_seconds // 3)}s",
        }
        self.engine: AsyncEngine = create_async_engine(
            make_url(url).set(drivername="postgresql+asyncpg"),
            pool_size=pool_size,
            max_overflow=max_overflow,
            pool_timeout=pool_timeout_seconds,
            pool_recycle=1800,
            connect_args={"server_settings": self._server_settings, "timeout": 10, "command_timeout": 60},
        )
        event.listen(self.engine.sync_engine, "checkout", _refuse_closed)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False, autoflush=False)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction that commits when the block ends and rolls back when it raises.

        Nothing else in the system commits. Call it so that the block is left before the answer is sent: a commit that
        fails must never follow a success.
        """
        async with self._session() as session:
            yield session
            await greenlet_spawn(session.sync_session.commit)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """Open a read-only transaction: one consistent view, and a refusal by PostgreSQL of any write."""
        async with self._session(postgresql_readonly=True, isolation_level="REPEATABLE READ") as session:
            yield session

    @asynccontextmanager
    async def _session(self, **execution_options: Any) -> AsyncIterator[AsyncSession]:
        """Open a session with its transaction begun; whatever is not committed is rolled back at the end.

        `session.begin()` and `session.close()` cross between the loop and SQLAlchemy's greenlets five times; this does
        it once at the beginning, and at the end only if there is something to roll back.
        """
        session = self._sessions()
        try:
            await greenlet_spawn(_begin, session.sync_session, execution_options)
            yield session
        finally:
            if session.sync_session.in_transaction():
                await asyncio.shield(asyncio.ensure_future(session.close()))
            else:
                session.sync_session.close()

    @asynccontextmanager
    async def raw_transaction(self) -> AsyncIterator[asyncpg.Connection]:
        """Open a transaction of a hot path on the driver's own connection, for a third of what `transaction` costs.

        It takes from the same pool, and commits and rolls back like `transaction`.
        """
        pooled = await self.engine.raw_connection()
        driver: asyncpg.Connection = pooled.driver_connection
        try:
            async with driver.transaction():
                yield driver
        finally:
            spoilt = driver.is_closed() or driver.is_in_transaction()  # the latter: cancelled while rolling back
            await greenlet_spawn(pooled.invalidate if spoilt else pooled.close)

    async def connect(self, **server_settings: str) -> asyncpg.Connection:
        """Open a connection outside the pool, for locks and listening that outlive a transaction; the caller closes it.

        Raises `OSError` or `asyncpg.PostgresError` when the database is not to be had within ten seconds.
        """
        settings = {
            "application_name": self.application_name,
            "timezone": "UTC",
            "tcp_keepalives_idle": "5",
            "tcp_keepalives_interval": "2",
            "tcp_keepalives_count": "3",
            **server_settings,
        }
        return await asyncpg.connect(self.dsn, timeout=10, command_timeout=60, server_settings=settings)

    async def ping(self) -> None:
        """Return when the database answers; raise what it failed with, or `TimeoutError` after two seconds."""
        async with asyncio.timeout(PING_SECONDS), self.engine.connect() as connection:
            await connection.execute(text("select 1"))

    async def close(self) -> None:
        """Close every pooled connection; for one in use it waits two seconds, so that none comes back to no pool."""
        pool: Any = self.engine.sync_engine.pool
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                while pool.checkedout():  # noqa: ASYNC110 - a pool tells nobody that one has come back
                    await asyncio.sleep(0.01)
        await self.engine.dispose()


@asynccontextmanager
async def closing(opening: Awaitable[asyncpg.Connection]) -> AsyncIterator[asyncpg.Connection]:
    """Open a connection of one's own for the block: `async with closing(database.connect()) as connection`."""
    connection = await opening
    try:
        yield connection
    finally:
        await connection.close()


def _begin(session: Session, execution_options: dict[str, Any]) -> None:
    """Begin the transaction that SQLAlchemy would begin at its own first statement: ours may come before it."""
    adapter: Any = session.connection(execution_options=execution_options).connection.dbapi_connection
    await_only(adapter._start_transaction())  # noqa: SLF001 - the very call that its own execute() makes
    session.info[_DRIVER] = adapter.driver_connection


async def raw(session: AsyncSession | asyncpg.Connection) -> asyncpg.Connection:
    """Give the driver's own connection of this session's transaction, for `unnest`, `COPY` and other hot paths.

    What is written through it commits and rolls back with the session. Nothing is pending in the session: flush before
    if objects were added. The connection of a `raw_transaction` is given back as it is, so that what takes a session
    works in both.
    """
    if not isinstance(session, AsyncSession):
        return session
    if session.in_nested_transaction():
        await session.connection()  # the savepoint is set at the session's own first statement: ours may come before it
    driver: asyncpg.Connection = session.info[_DRIVER]
    return driver
