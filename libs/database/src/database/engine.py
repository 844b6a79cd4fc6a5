"""One service's PostgreSQL: the pool, and the only function that commits."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, ClassVar, Final, Literal, cast

import asyncpg
from asyncpg.transaction import Transaction, TransactionState
from prometheus_client import Gauge
from sqlalchemy import URL, Connection, Engine, event, make_url
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.util import await_only, greenlet_spawn

from database.deadlines import milliseconds_left
from database.statements import Closing, together

CLOSE_SECONDS = 2.0
PING_SECONDS = 2.0
_WAITING_FOR: Final = Gauge("database_pool_waiting", "Who waits for a connection of the pool.", ["pool"])
_POOLED, _JOINED, _WAITING = "pooled", "joined", "waiting"


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
    `transaction_timeout_seconds` and an idle one by a third of it (PostgreSQL ends the session beyond that). Where
    there is a `DEADLINE`, what is left of it when a transaction begins bounds each of its statements.
    """

    runs_as: ClassVar[str] = ""
    """What this process is, `<command>/<revision of its code>`: follows the name by which the server knows it."""

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
        self._session_name = f"{application_name}/{self.runs_as}" if self.runs_as else application_name
        self._waiting = _WAITING_FOR.labels(application_name)
        self._may_overflow = max_overflow > 0
        self._server_settings = {
            "application_name": self._session_name,
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
            pool_use_lifo=True,  # those used last are warm, in the server too
            connect_args={"server_settings": self._server_settings, "timeout": 10, "command_timeout": 60},
        )
        event.listen(self.engine.sync_engine, "checkout", _refuse_closed)
        self._sessions = async_sessionmaker(
            self.engine, sync_session_class=_Joining, expire_on_commit=False, autoflush=False
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction that commits when the block ends and rolls back when it raises.

        Nothing else in the system commits. Call it so that the block is left before the answer is sent: a commit that
        fails must never follow a success.
        """
        async with self._begun() as session:
            session.info[_WAITING] = {}
            yield session
            await _write_waiting(session.info)
            if session.sync_session.in_transaction():
                await greenlet_spawn(session.sync_session.commit)
            await _end(session.info[_POOLED], "commit")

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """Open a read-only transaction: one consistent view, and a refusal by PostgreSQL of any write."""
        async with self._begun(readonly=True, isolation="repeatable_read") as session:
            yield session

    @asynccontextmanager
    async def raw_transaction(self) -> AsyncIterator[asyncpg.Connection]:
        """Open one of a hot path on the driver's own connection; it commits and rolls back like `transaction`."""
        async with self.transaction() as session:
            yield session.info[_POOLED].driver_connection

    @asynccontextmanager
    async def look(self) -> AsyncIterator[asyncpg.Connection]:
        """Give the driver's own connection to read by one statement: no transaction is begun for it, none ended.

        For what is asked again and again though there is seldom anything: it costs a third of a transaction. A
        connection that owes an answer is given up.
        """
        pooled = await self._pooled()
        is_spoilt = False
        try:
            yield pooled.driver_connection
        except (asyncio.CancelledError, TimeoutError):
            is_spoilt = True
            raise
        finally:
            is_spoilt = is_spoilt or pooled.driver_connection.is_closed()
            if is_spoilt or self._may_overflow:
                await greenlet_spawn(pooled.invalidate if is_spoilt else pooled.close)
            else:
                pooled.close()  # there is a place for it and nothing to roll back, so that nothing is waited for

    async def _pooled(self) -> Any:
        """Take a connection from the pool; how many wait for one is told."""
        self._waiting.inc()
        try:
            return await self.engine.raw_connection()
        finally:
            self._waiting.dec()

    @asynccontextmanager
    async def _begun(self, **options: Any) -> AsyncIterator[AsyncSession]:
        """Begin a transaction on the driver; the session joins it at its own first statement, if one comes.

        To lead SQLAlchemy through a transaction costs three times what the driver needs for it.
        """
        pooled = await self._pooled()
        driver, session = pooled.driver_connection, self._sessions(info={_POOLED: pooled})
        try:
            transaction = driver.transaction(**options)
            await _start(transaction, driver, readonly=bool(options))
            pooled.dbapi_connection._transaction = transaction  # noqa: SLF001 - as its own execute() would begin one
            yield session
        finally:
            left = _left(session, pooled, driver)
            await (asyncio.shield(asyncio.ensure_future(left)) if driver.is_in_transaction() else left)

    async def connect(self, **server_settings: str) -> asyncpg.Connection:
        """Open a connection outside the pool, for locks and listening that outlive a transaction; the caller closes it.

        Raises `OSError` or `asyncpg.PostgresError` when the database is not to be had within ten seconds.
        """
        settings = {
            "application_name": self._session_name,
            "timezone": "UTC",
            "tcp_keepalives_idle": "5",
            "tcp_keepalives_interval": "2",
            "tcp_keepalives_count": "3",
            **server_settings,
        }
        return await asyncpg.connect(self.dsn, timeout=10, command_timeout=60, server_settings=settings)

    async def ping(self) -> None:
        """Return when the database answers; raise what it failed with, or `TimeoutError` after two seconds."""
        async with asyncio.timeout(PING_SECONDS), self.look() as connection:
            await connection.execute("select 1")

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


class _Joining(Session):
    """A session of a transaction that was begun on the driver; it joins it at its own first statement."""

    def get_bind(self, *_: Any, **__: Any) -> Connection:
        """Give the connection that the transaction has."""
        if _JOINED not in self.info:
            self.info[_JOINED] = Connection(cast("Engine", self.bind), self.info[_POOLED])
        joined: Connection = self.info[_JOINED]
        return joined

    def rollback(self) -> None:
        """Take back everything, what was done on the driver too, and what waits to be written."""
        super().rollback()
        self.info.get(_WAITING, {}).clear()
        if self.info[_POOLED].is_valid:
            await_only(_end(self.info[_POOLED], "rollback"))

    def begin_nested(self) -> SessionTransaction:
        """Set a savepoint, after what waits to be written: the savepoint may be rolled back alone."""
        await_only(_write_waiting(self.info))
        return super().begin_nested()


async def _start(transaction: Transaction, driver: asyncpg.Connection, *, readonly: bool) -> None:
    """Begin a transaction; where there is a deadline, bound its statements in the round trip that begins it."""
    left = milliseconds_left()
    if left is None:
        await transaction.start()
        return
    begin = "begin isolation level repeatable read read only" if readonly else "begin"
    # As its own start() does, which takes no further statement.
    driver._top_xact, transaction._state = transaction, TransactionState.FAILED  # noqa: SLF001
    await driver.execute(f"{begin}; set local statement_timeout = {left}")
    transaction._state = TransactionState.STARTED  # noqa: SLF001


async def _end(pooled: Any, how: Literal["commit", "rollback"]) -> None:
    """End what SQLAlchemy's session has not ended yet."""
    adapter = pooled.dbapi_connection
    transaction, adapter._transaction = adapter._transaction, None  # noqa: SLF001 - see `_begun`
    if transaction is not None:
        await getattr(transaction, how)()


async def _left(session: AsyncSession, pooled: Any, driver: asyncpg.Connection) -> None:
    """Roll back what was not committed, and give the connection back to its pool."""
    try:
        if session.sync_session.in_transaction():
            await session.close()
        if pooled.is_valid and driver.is_in_transaction() and not driver.is_closed():
            await _end(pooled, "rollback")
    finally:
        if pooled.is_valid:
            # Cancelled while it began, when the driver alone believes in it, or while it was rolled back.
            spoilt = driver.is_closed() or driver.is_in_transaction() or driver._top_xact is not None  # noqa: SLF001
            await greenlet_spawn(pooled.invalidate if spoilt else pooled.close)


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
    driver: asyncpg.Connection = session.info[_POOLED].driver_connection
    return driver


async def write_last(
    session: AsyncSession | asyncpg.Connection, closing: Closing, rows: Sequence[Sequence[Any]]
) -> None:
    """Write rows at the end of the session's transaction, in the order in which they come.

    In a savepoint, in a read and on the driver's own connection they are written at once.
    """
    if not rows:
        return
    waiting = session.info.get(_WAITING) if isinstance(session, AsyncSession) else None
    if isinstance(session, AsyncSession) and waiting is not None and not session.in_nested_transaction():
        waiting.setdefault(closing, []).extend(rows)
    else:
        sql, arguments = together({closing: rows})
        await (await raw(session)).execute(sql, *arguments)


async def _write_waiting(info: dict[Any, Any]) -> None:
    if waiting := info.get(_WAITING):
        sql, arguments = together(waiting)
        waiting.clear()
        await info[_POOLED].driver_connection.execute(sql, *arguments)
