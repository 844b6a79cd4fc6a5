"""What a service tells anew beside what it published last, and a database that forgets what was done to it."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import orjson

from contracts import EVENT_TYPES, Event
from database import Database, raw
from messaging import Received, Telling, Told
from testkit.rewinding import Original

_LAST = """
    select distinct on (aggregate_id) type, aggregate_id, aggregate_version, event_id, payload from outbox
    where split_part(type, '.', 3) = $1 order by aggregate_id, aggregate_version desc
"""
_SOON = timedelta(seconds=30)


async def last_events(database: Database, aggregate: str) -> dict[UUID, Received[Any]]:
    """Give the last event of each aggregate of a kind that the service has published."""
    async with database.read() as session:
        rows = await (await raw(session)).fetch(_LAST, aggregate)
    return {row["aggregate_id"]: _received(row) for row in rows}


def _received(row: asyncpg.Record) -> Received[Any]:
    told = orjson.loads(row["payload"])
    event = EVENT_TYPES[row["type"]].model_validate(told["data"])
    actor = UUID(told["actor"]) if "actor" in told else None
    time = datetime.fromisoformat(told["time"])
    return Received(event, row["aggregate_version"], UUID(told["id"]), time, actor, None, None)


@dataclass(frozen=True, eq=False)
class Moment:
    """A time that equals any within half a minute: those of an event and of its row differ by the command's length."""

    at: datetime

    def __eq__(self, other: object) -> bool:
        """Compare as the class says."""
        return isinstance(other, Moment) and abs(self.at - other.at) < _SOON

    def __hash__(self) -> int:
        """Give all the same: what is equal must have one."""
        return 0


Statement = tuple[Event, int, Moment]
"""What is said of an aggregate: an event, its version and time."""


class Tellings(NamedTuple):
    """What a service tells of a kind of aggregate, by their ids: in pages of two, by id, and what it published last."""

    paged: dict[UUID, Statement]
    by_id: dict[UUID, Statement]
    published: dict[UUID, Statement]


async def tellings(database: Database, told: Told) -> Tellings:
    """Give what a service tells of a kind of aggregate."""
    last = await last_events(database, told.state.aggregate)
    paged: list[Telling] = []
    async with database.read() as session:
        while page := await told.page(session, paged[-1].event.aggregate_id if paged else None, 2):
            paged += page
        by_id = await told.of(session, last)
    return Tellings(_statements(paged), _statements(by_id), _statements(last.values()))


def _statements(said: Iterable[Telling | Received[Any]]) -> dict[UUID, Statement]:
    return {each.event.aggregate_id: (each.event, each.version, Moment(each.time)) for each in said}


class Forgotten(NamedTuple):
    """What a service did and knows no more: its last events, by aggregate, and how its tables were after it."""

    events: Sequence[Received[Any]]
    tables: dict[str, list[dict[str, Any]]]


async def forget(
    superuser_url: str, database: Database, told: Told, tables: Sequence[str], act: Callable[[], Awaitable[object]]
) -> Forgotten:
    """Let a service act, and bring its database back to what it held before."""
    original = await Original(superuser_url).read()
    try:
        before = {each.event_id for each in (await last_events(database, told.state.aggregate)).values()}
        await act()
        events = (await last_events(database, told.state.aggregate)).values()
        forgotten = Forgotten([each for each in events if each.event_id not in before], await rows(database, tables))
        await original.restore(alone=False)
    finally:
        await original.close()
    return forgotten


async def adopted(database: Database, told: Told, events: Sequence[Received[Any]]) -> set[UUID]:
    """Let a service adopt lost events; gives the aggregates it did so for."""
    async with database.transaction() as session:
        return set(await told.adopt(session, events)) if told.adopt else set()


async def rows(database: Database, tables: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Give what tables hold."""
    async with database.read() as session:
        connection = await raw(session)
        found = {each: await connection.fetch(f"select * from {each} as t order by t") for each in tables}  # noqa: S608
    return {table: [_roughly(row) for row in kept] for table, kept in found.items()}


def _roughly(row: asyncpg.Record) -> dict[str, Any]:
    return {name: Moment(value) if isinstance(value, datetime) else value for name, value in row.items()}
