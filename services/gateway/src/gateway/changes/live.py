"""All who listen at this process: one look at the log each 300 ms serves them, and none while there is nobody."""

import asyncio
import logging
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import orjson
from prometheus_client import Gauge, Histogram

from database import Database, raw
from gateway.changes import queries
from gateway.changes.audiences import joined, members_audiences
from gateway.changes.cursors import Position, place
from gateway.changes.listener import Listener
from webapi import Principal, Problem, Refusal, Revocations

EVERY_SECONDS: Final = 0.3
BELONGING_SECONDS: Final = 3.0
"""How often it is looked where the listeners belong; permissions of roles are remembered for two seconds beside."""
BYE_SECONDS: Final = 30.0
SILENT_SECONDS: Final = 25.0
MOST_OF_SESSION: Final = 3
MOST_BEHIND: Final = 50
"""As many as fit into what waits for one reader: who missed more is sent to the list."""
_MOST_ROWS: Final = 1000
_FAILED_SECONDS: Final = 2.0
_AT_ONCE: Final = 500

LISTENERS: Final = Gauge("gateway_changes_listeners", "Streams of changes that are open.")
LOOK_SECONDS: Final = Histogram(
    "gateway_changes_look_seconds",
    "Seconds from the look at the log before to the end of telling what one found: how late changes are told.",
    buckets=(0.1, 0.2, 0.3, 0.35, 0.4, 0.5, 0.75, 1, 2.5, 5, 10, 30),
)
TOO_MANY_STREAMS: Final = Problem(
    429,
    "too_many_streams",
    "This session listens three times already; close one of them.",
    "本次登录已有三个实时连接，请先关闭其中一个。",
    ("limit",),
)

log = logging.getLogger(__name__)


class Live:
    """The listeners of this process, by audience."""

    def __init__(self, database: Database, revocations: Revocations) -> None:
        self._database = database
        self._revocations = revocations
        self._listeners: set[Listener] = set()
        self._by_audience: defaultdict[str, set[Listener]] = defaultdict(set)
        self._of_session: Counter[str] = Counter()
        self._somebody = asyncio.Event()
        self._position = Position(0, 0)
        self._epoch = 0

    def require_room(self, principal: Principal) -> None:
        """Raise the 429 problem `too_many_streams` for a session that listens three times."""
        if self._of_session[_session(principal)] >= MOST_OF_SESSION:
            raise Refusal(TOO_MANY_STREAMS, headers={"retry-after": "5"}, limit=MOST_OF_SESSION)

    @contextmanager
    def heard(self, listener: Listener) -> Iterator[None]:
        """Count a listener for its session while the block lasts, and let it go at the end."""
        session = _session(listener.caller.principal)
        self._of_session[session] += 1
        LISTENERS.inc()
        try:
            yield
        finally:
            LISTENERS.dec()
            self._of_session[session] -= 1
            if not self._of_session[session]:
                del self._of_session[session]
            self._listeners.discard(listener)
            self._unlist(listener)
            if not self._listeners:
                self._somebody.clear()

    async def join(self, listener: Listener) -> None:
        """Tell a listener what the log has after its position, and then all that comes."""
        while True:
            async with self._database.look() as connection:
                state = await queries.state_of(connection)
                missed = await queries.page(
                    connection,
                    audiences=listener.audiences,
                    scopes=listener.scopes,
                    after=listener.position,
                    limit=MOST_BEHIND,
                )
            if len(missed) == MOST_BEHIND:
                listener.resync("behind", position=state.end)
            else:
                for change in missed:
                    listener.tell(change.position, event_of(change, gone=change.gone))
                listener.position = max(listener.position, state.end)
            if not self._listeners:
                self._position, self._epoch = listener.position, state.epoch
            if self._position <= listener.position:  # else those looked on meanwhile: what they found is to be read
                self._listeners.add(listener)
                self._list(listener)
                self._somebody.set()
                return

    @asynccontextmanager
    async def running(self, _: object) -> AsyncIterator[None]:
        """Serve the listeners while the application runs."""
        tasks = [asyncio.create_task(each()) for each in (self._keep_looking, self._keep_watch, self._keep_placed)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep_looking(self) -> None:
        before = time.monotonic()
        while True:
            if not self._listeners:
                await self._somebody.wait()
                before = time.monotonic()
            pause = _FAILED_SECONDS
            try:
                pause = 0 if await self._look() else EVERY_SECONDS
            except Exception:  # whatever keeps the database from answering, the next look finds what this one would
                log.exception("changes_not_read")
            now = time.monotonic()
            LOOK_SECONDS.observe(now - before)
            before = now
            await asyncio.sleep(pause)

    async def _look(self) -> bool:
        """Tell the listeners what is new; say whether there is more."""
        async with self._database.look() as connection:
            rows = await queries.poll(connection, after=self._position, limit=_MOST_ROWS)
        more, last = len(rows) == _MOST_ROWS, rows[-1]
        # Before anybody is told: who joins meanwhile and has not read as far reads again.
        self._position = Position(last["txid"], last["id"]) if more else Position(last["done"], 0)
        self._epoch = last["epoch"]
        told: set[Listener] = set()
        for row in rows:
            if not (listeners := tuple(self._by_audience.get(row["audience"], ()))):
                continue
            change = queries.change_of(row)
            events = {gone: event_of(change, gone=gone) for gone in (True, False)}
            for listener in listeners:
                if change.scope in listener.scopes:
                    listener.tell(change.position, events[_is_gone(row, listener.audiences)])
                    told.add(listener)
            await asyncio.sleep(0)
        for number, listener in enumerate(told):
            listener.send()
            if not number % _AT_ONCE:
                await asyncio.sleep(0)
        return more

    async def _keep_watch(self) -> None:
        """End the streams whose token holds no more, and speak to those who heard nothing for long."""
        while True:
            await self._somebody.wait()
            now, silent_since = time.time(), time.monotonic() - SILENT_SECONDS
            for listener in tuple(self._listeners):
                principal = listener.caller.principal
                if now >= principal.expires_at or self._revocations.has_ended(principal):
                    listener.end()
                elif listener.epoch != self._epoch:
                    listener.leave()
                elif now >= principal.expires_at - BYE_SECONDS and not listener.warned:
                    listener.say_bye()
                elif listener.spoken_at <= silent_since:
                    listener.say_still_here()
            await asyncio.sleep(EVERY_SECONDS)

    async def _keep_placed(self) -> None:
        """Follow the listeners from audience to audience."""
        while True:
            await self._somebody.wait()
            await asyncio.sleep(BELONGING_SECONDS)
            try:
                await self._place()
            except Exception:  # as above
                log.exception("listeners_not_placed")

    async def _place(self) -> None:
        listeners = tuple(self._listeners)
        people = {listener.caller.person_id for listener in listeners}
        async with self._database.read() as session:
            members = await members_audiences(await raw(session), people)
        for number, listener in enumerate(listeners):
            audiences = await joined(listener.caller, members)
            if audiences != listener.audiences and listener in self._listeners:
                listener.resync("moved")
                self._unlist(listener)
                listener.bind(listener.bound.seeing(listener.epoch, listener.scopes, audiences), audiences)
                self._list(listener)
            if not number % _AT_ONCE:
                await asyncio.sleep(0)

    def _list(self, listener: Listener) -> None:
        for audience in listener.audiences:
            self._by_audience[audience].add(listener)

    def _unlist(self, listener: Listener) -> None:
        for audience in listener.audiences:
            listeners = self._by_audience.get(audience)
            if listeners is not None:
                listeners.discard(listener)
                if not listeners:
                    del self._by_audience[audience]


def event_of(change: queries.Change, *, gone: bool) -> bytes:
    """Write an event of a change, from behind what its id begins with."""
    told = {
        "scope": change.scope,
        "subject_id": change.subject_id,
        "version": None if change.part else change.version,
        "gone": gone,
    }
    return place(change.position) + b"\nevent: change\ndata: " + orjson.dumps(told, default=str) + b"\n\n"


def _is_gone(row: Any, audiences: frozenset[str]) -> bool:
    """Say for who is in these audiences what `queries.page` says: a thing is gone when it is in none of them."""
    if not (row["gone"] or row["part"]):
        return False
    if row["part"] and row["gone"]:
        return True
    return audiences.isdisjoint(row["seen_by"]) and not audiences.isdisjoint(row["left_by"])


def _session(principal: Principal) -> str:
    return principal.session_id or f"{principal.client_id} {principal.person_id}"
