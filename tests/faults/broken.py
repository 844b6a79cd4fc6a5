"""Mechanisms broken on purpose, and processes that die at an exact point: `broken.py <breakages> <module> <arguments>`.

A breakage changes the code before it runs, by a setter: `monkeypatch.setattr` in a test, `setattr` in a process of
its own.
"""

import os
import runpy
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from messaging import inbox, outbox, parked, positions, publishing, relay
from messaging.publishing import Message, Stored
from messaging.pulling import Puller
from messaging.received import Arrival
from messaging.relay import Relay

Setter = Callable[[Any, str, Any], None]
Breakage = Callable[[Setter], None]

DEATH_AT = "XIANGQIAO_DEATH_AT"
"""Environment variable: at the how-manieth time a process that dies at a point does so, the first when left out."""


def _dying(act: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Make a function that dies as by kill -9 instead of doing its work, once its time has come."""
    left = int(os.environ.get(DEATH_AT, "1"))

    async def act_or_die(*arguments: Any, **named: Any) -> Any:
        nonlocal left
        left -= 1
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return await act(*arguments, **named)

    return act_or_die


def relay_dies_before_cursor(put: Setter) -> None:
    """Die when a batch is published and acknowledged, before the cursor is saved."""
    put(Relay, "_save", _dying(Relay._save))


def consumer_dies_before_acknowledgement(put: Setter) -> None:
    """Die when a batch is committed, before it is acknowledged."""
    put(Puller, "acknowledge", _dying(Puller.acknowledge))


def api_dies_before_response(put: Setter) -> None:
    """Die when the answer to a case is committed, before its response is sent."""
    from webapi.caller import AuthenticatedCaller  # noqa: PLC0415 - not needed by processes without HTTP

    command = AuthenticatedCaller.command

    async def nothing() -> None:
        """Go on living."""

    die = _dying(nothing)

    @asynccontextmanager
    async def committed_and_dead(self: Any) -> AsyncIterator[Any]:
        async with command(self) as opened:
            yield opened
        if self._request.scope["path"].endswith("/answers"):  # sent again without its key, it is refused
            await die()

    put(AuthenticatedCaller, "command", committed_and_dead)


def api_forgets_keys(put: Setter) -> None:
    """Treat a command that is sent again as a new one."""
    from webapi import caller  # noqa: PLC0415 - as above

    put(caller, "read_key", lambda _headers: None)


def api_ends_at_once(put: Setter) -> None:
    """End at SIGTERM without a thought for the requests under way."""
    from webapi.processes import Process  # noqa: PLC0415 - as above

    put(Process, "_on_signal", lambda _self, _number: os._exit(0))


def door_leaves_nobody_out(put: Setter) -> None:
    """Ask a service that fails as one that works."""
    from gateway.edge.breaker import Breaker  # noqa: PLC0415 - as above

    put(Breaker, "failed", lambda _self, _now: False)


def door_tries_no_other_address(put: Setter) -> None:
    """Give up where a connection is refused."""
    from gateway.forwarding import upstream  # noqa: PLC0415 - as above

    put(upstream, "UNSENT_TRIES", 0)


def door_keeps_a_little_of_each_request(put: Setter) -> None:
    """Keep half a kilobyte of each request that is forwarded."""
    from gateway.forwarding.exchange import Exchange  # noqa: PLC0415 - as above

    leave, kept = Exchange.leave, list[bytearray]()

    def keep_and_leave(self: Any) -> None:
        kept.append(bytearray(b"x" * 512))
        leave(self)

    put(Exchange, "leave", keep_and_leave)


def messages_without_ids(put: Setter) -> None:
    """Publish under a new id each time, so that the broker knows no duplicate."""
    put(publishing, "_headers", lambda _message: {"Nats-Msg-Id": str(uuid4())})


def refused_batch_counts_as_done(put: Setter) -> None:
    """Take the refusal of a batch that contains one duplicate for the word that all of it is there."""

    async def believe(_nats: object, messages: Sequence[Message]) -> Stored:
        return Stored(len(messages), 0)

    put(publishing, "publish_each", believe)


def cursor_stays_after_broker_loss(put: Setter) -> None:
    """Do not go back when the broker has lost what it acknowledged."""
    put(relay, "_EVERYTHING", relay._NOTHING)


def inbox_lets_all_in(put: Setter) -> None:
    """Know of no event that it was received before."""

    async def all_are_new(_connection: object, _label: str, arrivals: Sequence[Arrival]) -> list[Arrival]:
        return list(arrivals)

    put(inbox, "enter", all_are_new)


def batches_stand_anywhere(put: Setter) -> None:
    """Commit a batch wherever the database is, as if its position were not kept."""

    async def anywhere(*_: object) -> bool:
        return True

    put(positions, "move", anywhere)


def failures_are_swallowed(put: Setter) -> None:
    """Forget the event that fails instead of putting it aside."""
    put(inbox._Sorted, "park", lambda *_: None)


def nobody_waits_behind_the_parked(put: Setter) -> None:
    """Let the later events of an aggregate overtake one that is parked."""
    park = inbox._Sorted.park

    def park_alone(self: Any, arrival: Arrival, reason: str, error: str | None) -> None:
        park(self, arrival, reason, error)
        self.held.clear()

    async def nobody(*_: object) -> set[Any]:
        return set()

    put(inbox._Sorted, "park", park_alone)
    put(parked, "held_aggregates", nobody)


def relay_asks_for_ids_above_the_last(put: Setter) -> None:
    """Read the outbox by id alone, as if ids were given at commit."""
    query = relay.ROWS_OF_PAST_EPOCH  # as it is, without the bound of the oldest open transaction
    by_id = query.replace("(txid, id) > ($3::xid8, $4)", "$3::xid8 is not null and id > $4")
    by_id = by_id.replace("order by txid, id", "order by id")
    assert by_id.count("txid,") == query.count("txid,") - 2, "the relay's query is another by now"
    put(relay, "ROWS_OF_PRESENT_EPOCH", by_id)


def epoch_stays_after_restore(put: Setter) -> None:
    """Compare transaction ids of a restored dump with those of the cluster it came into."""

    async def never(_connection: object) -> bool:
        return False

    put(outbox, "was_restored", never)


def fold_takes_no_lock(put: Setter) -> None:
    """Fold counts while organisations move."""
    from orgtree import rollups  # noqa: PLC0415 - not needed by processes without a tree

    async def nothing(_session: object) -> None:
        """Take no lock."""

    put(rollups, "lock_tree", nothing)


BREAKAGES: dict[str, Breakage] = {
    breakage.__name__: breakage
    for breakage in (
        relay_dies_before_cursor,
        consumer_dies_before_acknowledgement,
        api_dies_before_response,
        api_forgets_keys,
        api_ends_at_once,
        door_keeps_a_little_of_each_request,
        door_leaves_nobody_out,
        door_tries_no_other_address,
        messages_without_ids,
        inbox_lets_all_in,
    )
}


def command(module: str, *arguments: str, breakages: Sequence[Breakage] = ()) -> list[str]:
    """Give the command that runs a module with its code broken, or as it is."""
    if not breakages:
        return [sys.executable, "-m", module, *arguments]
    names = ",".join(breakage.__name__ for breakage in breakages)
    return [sys.executable, "-m", "tests.faults.broken", names, module, *arguments]


if __name__ == "__main__":
    for name in sys.argv[1].split(","):
        BREAKAGES[name](setattr)
    sys.argv = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
