"""One batch, one transaction: mark as received, keep what is new, let the handlers work, put aside what they cannot."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from database import Database, raw
from messaging import parked, positions
from messaging.consumer import Consumer
from messaging.failures import describe, is_passing
from messaging.parked import Aside
from messaging.positions import START, Position
from messaging.pulling import Interrupted
from messaging.received import Arrival, waves
from messaging.spaces import LiveSpace, Space
from messaging.tracing import handling

logger = logging.getLogger(__name__)

_ENTER = "insert into inbox (day, consumer, event_id) select $1, $2, event_id from unnest($3::uuid[]) as event_id"
_ENTER_NEW = f"{_ENTER} on conflict do nothing returning event_id"


class Outcome(NamedTuple):
    """What became of a batch: events applied, put aside, and dropped as duplicates."""

    applied: Sequence[Arrival]
    aside: Sequence[Aside]
    duplicates: int


async def enter(connection: asyncpg.Connection, label: str, arrivals: Sequence[Arrival]) -> list[Arrival]:
    """Mark arrivals as received in one inbox space; gives those that were not, each once, in order."""
    by_day: dict[date, dict[UUID, Arrival]] = {}
    for arrival in arrivals:
        by_day.setdefault(arrival.day, {}).setdefault(arrival.event_id, arrival)
    fresh: dict[UUID, Arrival] = {}
    for day, wanted in by_day.items():
        if await _all_were_new(connection, day, label, list(wanted)):
            fresh |= wanted
        else:
            rows = await connection.fetch(_ENTER_NEW, day, label, list(wanted))
            fresh.update((row[0], wanted[row[0]]) for row in rows)
    if len(fresh) == len(arrivals):
        return list(arrivals)
    return [arrival for arrival in arrivals if fresh.get(arrival.event_id) is arrival]


async def _all_were_new(connection: asyncpg.Connection, day: date, label: str, event_ids: list[UUID]) -> bool:
    """Enter events of which, nearly always, none is known: `on conflict` would cost two and a half times as much."""
    try:
        async with connection.transaction():  # a savepoint
            await connection.execute(_ENTER, day, label, event_ids)
    except asyncpg.UniqueViolationError:
        return False
    return True


class Inbox:
    """Applies batches of one consumer to its database.

    `space` says in which tables and which inbox space; a rebuild works in others than the live ones.
    """

    def __init__(self, consumer: Consumer, database: Database, stream: str, *, space: Space | None = None) -> None:
        self._consumer = consumer
        self._database = database
        self._stream = stream
        self._space = space or LiveSpace(consumer.name)
        self._reached = START

    async def reached(self) -> Position:
        """Give how far the space has read its stream, as its database has it; batches go on from there."""
        async with self._database.transaction() as session:
            connection = await raw(session)
            label = await self._space.label(connection)
            self._reached = await positions.load(connection, label, self._stream)
        return self._reached

    async def apply(self, arrivals: Sequence[Arrival], position: Position | None = None) -> Outcome:
        """Commit the effect of a batch, each new event exactly once, in order within an aggregate.

        `position` is that of the last, if they come from the stream: it is kept with them. An event that fails by its
        own fault is put aside, and so are later ones of its aggregate. Raises `Interrupted` where the database is not
        where the batch before left it, and whatever else is not the events' fault; nothing of the batch is then
        committed.
        """
        try:
            return await self._attempt(arrivals, position, self._all_at_once)
        except Interrupted:
            raise
        except Exception as error:
            if is_passing(error):
                raise
            details = {"consumer": self._consumer.name, "events": len(arrivals)}
            logger.warning("batch_failed", extra=details, exc_info=error)
        return await self._attempt(arrivals, position, self._one_half_at_a_time)

    async def _attempt(
        self,
        arrivals: Sequence[Arrival],
        position: Position | None,
        work: Callable[[AsyncSession, Sequence[Arrival], "_Sorted"], Awaitable[None]],
    ) -> Outcome:
        async with self._database.transaction() as session:
            connection = await raw(session)
            label = await self._space.enter(connection)
            # Known events that nobody here handles leave no trace.
            ours = [each for each in arrivals if each.received is not None or each.reason is not None]
            fresh = await enter(connection, label, ours)
            aggregates = {arrival.aggregate_id for arrival in fresh if arrival.aggregate_id is not None}
            result = _Sorted(held=await parked.held_aggregates(connection, self._space.name, aggregates))
            await work(session, result.sort(fresh), result)
            await parked.put_aside(connection, self._space.name, self._stream, result.aside_in_order())
            if position is not None and not await positions.move(
                connection, label, self._stream, self._reached, position
            ):
                raise Interrupted("the database went back")
            await self._space.leave(connection)
        self._reached = position or self._reached
        return Outcome(result.applied, result.aside, len(arrivals) - len(fresh))

    async def _all_at_once(self, session: AsyncSession, arrivals: Sequence[Arrival], result: "_Sorted") -> None:
        await run_handlers(session, self._consumer, arrivals)
        result.applied.extend(arrivals)

    async def _one_half_at_a_time(self, session: AsyncSession, arrivals: Sequence[Arrival], result: "_Sorted") -> None:
        """Find the failing events by halving, each half in a savepoint, earlier halves first."""
        arrivals = result.sort(arrivals)
        if not arrivals:
            return
        try:
            await in_savepoint(session, self._consumer, arrivals)
        except Exception as error:
            if is_passing(error):
                raise
            if len(arrivals) == 1:
                result.park(arrivals[0], "handler_failed", describe(error))
                return
        else:
            result.applied.extend(arrivals)
            return
        middle = len(arrivals) // 2
        await self._one_half_at_a_time(session, arrivals[:middle], result)
        await self._one_half_at_a_time(session, arrivals[middle:], result)


class _Sorted:
    """Who of a batch is applied, and who is put aside: failed, unknown, or waiting behind one of its aggregate."""

    def __init__(self, held: set[UUID]) -> None:
        self.held = dict.fromkeys(held, 0)  # each aggregate from which stream sequence on
        self.applied: list[Arrival] = []
        self.aside: list[Aside] = []

    def sort(self, arrivals: Sequence[Arrival]) -> list[Arrival]:
        """Give those that may be applied, in order; the others go aside."""
        if not self.held and all(arrival.reason is None for arrival in arrivals):
            return list(arrivals)
        able = []
        for arrival in arrivals:
            if self._is_held(arrival):
                self.aside.append(Aside(arrival, "waiting", arrival.reason or "behind_parked", arrival.error))
            elif arrival.reason == "unknown_type":
                self.aside.append(Aside(arrival, "unknown", arrival.reason, None))
            elif arrival.reason is not None:
                self.park(arrival, arrival.reason, arrival.error)
            else:
                able.append(arrival)
        return able

    def park(self, arrival: Arrival, reason: str, error: str | None) -> None:
        """Put one aside for its own fault; its aggregate, if it has one, is held from here on."""
        self.aside.append(Aside(arrival, "parked", reason, error))
        if arrival.aggregate_id is not None:
            behind = arrival.delivery.stream_seq
            self.held[arrival.aggregate_id] = min(behind, self.held.get(arrival.aggregate_id, behind))

    def aside_in_order(self) -> list[Aside]:
        """Give what is put aside in the stream's order, in which it is tried again; it is found in another."""
        return sorted(self.aside, key=lambda item: item.arrival.delivery.stream_seq)

    def _is_held(self, arrival: Arrival) -> bool:
        """Say whether an event waits: not for one of its aggregate that comes after it in the same batch."""
        behind = self.held.get(arrival.aggregate_id) if arrival.aggregate_id is not None else None
        return behind is not None and arrival.delivery.stream_seq >= behind


async def run_handlers(session: AsyncSession, consumer: Consumer, arrivals: Sequence[Arrival]) -> None:
    """Call the handlers: wave by wave, one call per event type with all its events of the wave."""
    for wave in waves(arrivals):
        for event_type, received in wave.items():
            with handling(consumer.name, event_type, received):
                await consumer.handlers_by_type[event_type](session, received)
                await session.flush()


async def in_savepoint(session: AsyncSession, consumer: Consumer, arrivals: Sequence[Arrival]) -> None:
    """Call the handlers in a savepoint and check deferred constraints at its end, so that no fault waits for commit."""
    async with session.begin_nested():
        await run_handlers(session, consumer, arrivals)
        await (await raw(session)).execute("set constraints all immediate")
