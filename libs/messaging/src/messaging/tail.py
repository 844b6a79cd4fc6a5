"""Follows events in memory, without a consumer: what a process must know at once and may forget when it ends.

A tail asks for what is new (direct get in batches,
https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-31.md) when it hears that something was
published, and every two seconds; after that twice a second until it is quiet. What it hears proves nothing and is not
read: it comes before the stream has it, and not at all after a cut. The broker keeps nothing for it, so there is
nothing to make anew after a reconnect, and nobody needs a right but to read. Each question begins with the last event
known: when that is not there any more, the stream was wiped or shortened, and all is asked for again.

Direct get is answered by any replica, also by one that lags or was cut off. Every two seconds the stream's leader is
asked which event is its last, and what was read counts as complete only when it reaches that one.
"""

import asyncio
import contextlib
import itertools
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError

from background import GrowingDelay
from contracts import Event
from database import utc_now
from messaging import streams
from messaging.connection import NatsConnection
from messaging.direct import DirectReader, Entry
from messaging.received import Delivery, Reader

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5
CONFIRM_SECONDS = 2.0
QUIET_SECONDS = 2.0
STORED_SECONDS = 0.05  # how long the stream takes as a rule to have what was published
LOAD_SECONDS = 2.0
BEHIND_SECONDS = 5.0
_NO_MESSAGE_FOUND = 10037


class TailBehind(Exception):
    """For more than five seconds it is not known whether there are events that have not been taken."""


class _Cursor:
    """How far the stream of a service has been read; `last` is None before the first message.

    A question costs the broker more than an answer: of several kinds of aggregates all that the stream has is asked
    for at once, and `wants` passes over what is of others.
    """

    def __init__(self, service: str, subjects: Sequence[str]) -> None:
        self.stream = streams.stream_name(service)
        self.subject = subjects[0] if len(subjects) == 1 else f"evt.{service}.*.*.*"
        self.last: Entry | None = None
        self._aggregates = {_aggregate_of(subject) for subject in subjects}

    def wants(self, entry: Entry) -> bool:
        """Say whether an entry is of an aggregate that is followed."""
        return _aggregate_of(entry.subject) in self._aggregates


def _aggregate_of(subject: str) -> str:
    """Give the kind of aggregate that `evt.<service>.<pNN>.<aggregate>.<id>` names."""
    return subject.split(".")[3]


class _Promise(NamedTuple):
    """What the leaders of the streams had when they were asked: the last sequence of interest, by cursor."""

    asked_at: float
    last: tuple[int, ...]


def reached(wanted: int, read: int | None) -> bool:
    """Say whether a subject was read as far as its leader had it; 0 when the leader had nothing of interest."""
    return wanted == 0 or (read is not None and read >= wanted)


class Tail:
    """Follows events of some types by asking the broker for them. For one `following` at a time."""

    def __init__(self, nats_connection: NatsConnection) -> None:
        self._nats = nats_connection
        self._direct = DirectReader(nats_connection)
        self._heard = asyncio.Event()
        self._quiet_at = 0.0
        self._asked_at: float | None = None
        self._promise: _Promise | None = None
        self._complete_at: float | None = None
        self._loaded = asyncio.Event()

    @asynccontextmanager
    async def following(
        self,
        event_types: Collection[type[Event]],
        take: Callable[[Event], None],
        *,
        since: timedelta,
        complete: Callable[[], None],
    ) -> AsyncIterator[None]:
        """Give events of these types to `take`: those of the last `since`, then each new one within a second.

        `complete` is called once, when the former have been read as far as the streams' leaders have them. The block
        begins then, or without them when the broker refuses the connection or needs more than two seconds; also when
        a stream is not there, which tells nothing of what it held. Events come in the order of their stream,
        and may come again after a cut.
        """
        filters = streams.filters_of(event_types)
        cursors = [_Cursor(service, subjects) for service, subjects in filters.items()]
        for subjects in filters.values():
            for subject in subjects:
                await self._nats.listen(subject, self._hear)
        self._loaded.clear()
        self._asked_at = self._promise = self._complete_at = None
        following = asyncio.create_task(
            self._follow(cursors, Reader(event_types), take, since=since, complete=complete), name="tail"
        )
        try:
            await self._wait_for_the_first()
            yield
        finally:
            following.cancel()
            await asyncio.wait({following})
            await self._direct.close()

    async def _wait_for_the_first(self) -> None:
        """Wait until the former events have been read; not for a broker that is not there, nor for one that is slow."""
        waits = [asyncio.ensure_future(event.wait()) for event in (self._loaded, self._nats.refused)]
        await asyncio.wait(waits, timeout=LOAD_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    async def check(self) -> None:
        """Raise `TailBehind` unless all that the leaders had at some moment of the last five seconds was taken."""
        if self._complete_at is None or self._complete_at < time.monotonic() - BEHIND_SECONDS:
            raise TailBehind

    async def _follow(
        self,
        cursors: list[_Cursor],
        reader: Reader,
        take: Callable[[Event], None],
        *,
        since: timedelta,
        complete: Callable[[], None],
    ) -> None:
        told: set[str] = set()  # why it failed since it last worked, so that each reason is told, and once
        delay = GrowingDelay(first=0.05, longest=POLL_SECONDS)
        while True:
            try:
                await self._ask_leaders(cursors, since, time.monotonic())
                for cursor in cursors:
                    await self._catch_up(cursor, reader, take, since)
            except Exception as error:  # whatever it is: who follows no more lets through what has ended
                reason = type(error).__name__
                if reason not in told:
                    trace = None if isinstance(error, (NatsError, OSError)) else error
                    logger.warning("tail_interrupted", extra={"error": reason}, exc_info=trace)
                told.add(reason)
                await asyncio.sleep(delay.grow())
                continue
            if told:
                logger.info("tail_goes_on")
                told.clear()
                delay.reset()
            self._hold_against_promise(cursors)
            if self._complete_at is not None and not self._loaded.is_set():
                complete()
                self._loaded.set()
            await self._pause()

    async def _pause(self) -> None:
        """Wait until something is heard, at most two seconds; half a second while it is not quiet, or not all read."""
        if time.monotonic() < self._quiet_at or self._promise is not None:
            await asyncio.sleep(POLL_SECONDS)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CONFIRM_SECONDS):
                await self._heard.wait()
        if self._heard.is_set():
            self._heard.clear()
            self._quiet_at = time.monotonic() + QUIET_SECONDS
            await asyncio.sleep(STORED_SECONDS)

    async def _ask_leaders(self, cursors: list[_Cursor], since: timedelta, now: float) -> None:
        """Ask how far there is to read, unless that is known of the last two seconds or still being read.

        What cannot be read for long is asked anew: the stream may have been wiped.
        """
        silence_allowed = CONFIRM_SECONDS if self._promise is None else BEHIND_SECONDS
        if self._asked_at is not None and now - self._asked_at < silence_allowed:
            return
        oldest = utc_now() - since
        self._promise = _Promise(now, tuple([await self._last_of(cursor, oldest) for cursor in cursors]))
        self._asked_at = now

    async def _last_of(self, cursor: _Cursor, oldest: datetime) -> int:
        """Give the sequence of the leader's last message; 0 when there is none, or none so late.

        Raises `nats.js.errors.NotFoundError` while there is no such stream: what it told is lost, so far as is known.
        """
        try:
            told = await streams.request(
                self._nats, f"STREAM.MSG.GET.{cursor.stream}", {"last_by_subj": cursor.subject}
            )
        except NotFoundError as error:
            if error.err_code != _NO_MESSAGE_FOUND:
                raise
            return 0
        message = told["message"]
        return int(message["seq"]) if datetime.fromisoformat(message["time"]) >= oldest else 0

    def _hold_against_promise(self, cursors: list[_Cursor]) -> None:
        promise = self._promise
        if promise is None:
            return
        read = [cursor.last.seq if cursor.last is not None else None for cursor in cursors]
        if all(itertools.starmap(reached, zip(promise.last, read, strict=True))):
            self._complete_at, self._promise = promise.asked_at, None

    async def _catch_up(self, cursor: _Cursor, reader: Reader, take: Callable[[Event], None], since: timedelta) -> None:
        while True:
            last = cursor.last
            if last is not None:
                start: dict[str, Any] = {"seq": last.seq}
            else:
                start = {"start_time": (utc_now() - since).isoformat()}
            answer = await self._direct.get(cursor.stream, cursor.subject, start)
            entries = answer.entries
            if last is not None:
                if not entries or entries[0][:2] != last[:2]:
                    cursor.last = None
                    continue
                entries = entries[1:]
            for entry in filter(cursor.wants, entries):
                arrival = reader.read(Delivery(entry.subject, entry.payload, entry.headers, stream_seq=entry.seq))
                if arrival.received is not None:
                    take(arrival.received.event)
                elif arrival.reason is not None:
                    logger.error("event_unreadable", extra={"event_id": arrival.event_id, "reason": arrival.reason})
            if entries:
                cursor.last = entries[-1]
            if not answer.pending:
                return

    def _hear(self, _: bytes) -> None:
        self._heard.set()
