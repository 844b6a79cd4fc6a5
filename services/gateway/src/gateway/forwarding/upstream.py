"""A service as the gateway reaches it: its addresses, and which of them an exchange goes to."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from random import random, uniform
from time import monotonic
from typing import Final

from gateway.edge.breaker import Breaking, State
from gateway.edge.retries import UNSENT_PAUSE, UNSENT_SECONDS, UNSENT_TRIES, Budget
from gateway.forwarding import measures
from gateway.forwarding.addresses import Address, addresses_in, looked_up
from gateway.forwarding.connection import Connection
from gateway.forwarding.failures import (
    AnswerBroken,
    ConnectionStale,
    ForwardingFailure,
    LeftOut,
    ServiceSlow,
    ServiceUnreachable,
    ShuttingDown,
)
from gateway.forwarding.limits import Limits, Timeouts
from gateway.forwarding.pool import Pool
from gateway.forwarding.slow_clients import Room
from webapi.health import LIVE
from webapi.problems import SERVICE_SLOW

LOOKUP_EACH: Final = 5.0
"""Seconds after which a host's name is looked up again, once somebody asks."""
_PROBE: Final = Timeouts(connect=2.0, first_byte=2.0)
_SLOW: Final = SERVICE_SLOW.status
_GAUGES: Final = ("open", "idle", "waiting")

log = logging.getLogger("gateway.forwarding")


class Upstream:
    """Choose a pool, acquire a connection of it, use it for one exchange, `release` it.

    `urls` are http://host:port or https://host:port, without a path, several by commas; the name of a host stands for
    all its addresses. Belongs to the event loop it is first used in.
    """

    def __init__(
        self, service: str, urls: str, *, limits: Limits | None = None, breaking: Breaking | None = None
    ) -> None:
        self.service = service
        self.limits = limits or Limits()
        self.kept_waiting = Room(max(1, self.limits.connections // 2))
        """For exchanges that keep a connection while their client is slow: half of a pool stays for the others."""
        self.breaking = breaking or Breaking()
        self.pools: list[Pool] = []
        self.left_out_since: datetime | None = None
        """Since when no address of it is asked; None while one is."""
        self._told = addresses_in(service, urls)
        self._look_at: float | None = None
        if any(address.is_name for address in self._told):
            self._look_at = 0.0
        else:
            self._reach(self._told)
        self._looking: asyncio.Task[None] | None = None
        self._turn = 0
        self._budget = Budget()
        self._probes: dict[Pool, asyncio.TimerHandle | asyncio.Task[None]] = {}
        self._closed = False

    @property
    def open(self) -> int:
        """Connections open or being opened."""
        return sum(pool.open for pool in self.pools)

    @property
    def idle(self) -> int:
        """Connections that wait for a request."""
        return sum(pool.idle for pool in self.pools)

    @property
    def waiting(self) -> int:
        """Requests that wait for a connection."""
        return sum(pool.waiting for pool in self.pools)

    def watch(self) -> None:
        """Let the gauges read this service's connections and addresses when they are scraped."""
        for state in _GAUGES:
            measures.CONNECTIONS.labels(self.service, state).set_function(partial(getattr, self, state))
        for each in State:
            measures.ADDRESSES.labels(self.service, each).set_function(partial(self._count, each))

    async def find(self) -> None:
        """Have the addresses looked up before the first exchange; raises ServiceUnreachable when nobody can tell."""
        if self._closed:
            raise ShuttingDown("closed")
        await asyncio.shield(self._look())

    def choose(self, avoided: Pool | None = None) -> Pool:
        """Give the pool with the fewest exchanges, in turn where several have, and not the avoided one if there is one.

        Raises LeftOut while the breaker of every address is open.
        """
        if self._look_at is not None and monotonic() >= self._look_at:
            self._look()
        pools = self.pools
        if len(pools) == 1:
            pool = pools[0]
            if pool.breaker.is_closed:
                return pool
        elif closed := [pool for pool in pools if pool.breaker.is_closed]:
            others = [pool for pool in closed if pool is not avoided] or closed
            self._turn = (self._turn + 1) % len(others)
            return min(others[self._turn :] + others[: self._turn], key=lambda pool: pool.in_use)
        raise LeftOut(min(pool.breaker.until for pool in pools) - asyncio.get_running_loop().time())

    def release(self, pool: Pool, connection: Connection) -> None:
        """Take a connection back after its exchange, and count how that went.

        What the door refused, or the client made fail, says nothing about the address.
        """
        failure, answer = connection.failure, connection.answer
        if isinstance(failure, ServiceSlow) or (answer is not None and answer.status == _SLOW):
            if connection.timeouts.first_byte >= self.breaking.slow_from:
                self.failed(pool)
        elif failure is None:
            if connection.complete:
                pool.breaker.worked(connection.moved_at)
        elif isinstance(failure, AnswerBroken) and not isinstance(failure, ConnectionStale):
            self.failed(pool)
        pool.release(connection)

    def failed(self, pool: Pool) -> None:
        """Count a failure of the address; leave it out if that is one too many, and enough others are left."""
        now = asyncio.get_running_loop().time()
        out = len(self.pools) - self._count(State.CLOSED)
        if pool.breaker.failed(now) and out < max(1, len(self.pools) // 2) and pool in self.pools:
            self._leave_out(pool)

    def may_try_again(self, why: str) -> bool:
        """Take one from the budget of what is tried again."""
        now = asyncio.get_running_loop().time()
        granted = self._budget.take(now, sum(pool.breaker.exchanges(now) for pool in self.pools))
        measures.TRIED_AGAIN.labels(self.service, why if granted else "over_budget").inc()
        return granted

    def close(self) -> None:
        """Close every connection, those in use too, and refuse what comes."""
        self._closed = True
        for waiting in [*self._probes.values(), *([self._looking] if self._looking is not None else [])]:
            waiting.cancel()
        for pool in self.pools:
            pool.close()

    def _count(self, state: State) -> int:
        return sum(pool.breaker.state is state for pool in self.pools)

    # Breakers

    def _leave_out(self, pool: Pool) -> None:
        loop = asyncio.get_running_loop()
        seconds = pool.breaker.open(loop.time(), random())  # noqa: S311 - no secret
        self._tell(pool)
        if self.left_out_since is None and not self._count(State.CLOSED):
            self.left_out_since = datetime.now(UTC)
        self._probes[pool] = loop.call_later(seconds, self._probe, pool)

    def _probe(self, pool: Pool) -> None:
        pool.breaker.probe()
        self._tell(pool)
        self._probes[pool] = asyncio.get_running_loop().create_task(self._probed(pool))

    async def _probed(self, pool: Pool) -> None:
        """Let requests through to an address that lives, and wait longer for one that does not."""
        lives = await _lives(pool)
        del self._probes[pool]
        if lives:
            pool.breaker.close()
            self._tell(pool)
            self.left_out_since = None
        elif pool in self.pools:
            self._leave_out(pool)

    def _tell(self, pool: Pool) -> None:
        state = pool.breaker.state
        measures.BREAKERS.labels(self.service, state).inc()
        log.warning(
            "breaker_changed", extra={"upstream_id": self.service, "address": str(pool.address), "state": state}
        )

    # Names

    def _look(self) -> "asyncio.Task[None]":
        if self._looking is None or self._looking.done():
            self._look_at = monotonic() + LOOKUP_EACH
            self._looking = asyncio.get_running_loop().create_task(self._looked())
            self._looking.add_done_callback(_tell_unknown)
        return self._looking

    async def _looked(self) -> None:
        found = await asyncio.gather(*(looked_up(address) for address in self._told))
        self._reach([address for addresses in found for address in addresses])

    def _reach(self, addresses: Sequence[Address]) -> None:
        """Have a pool for each of these addresses, and let go of the others."""
        known = {pool.address: pool for pool in self.pools}
        self.pools = [
            known.get(address) or Pool(address, limits=self.limits, breaking=self.breaking)
            for address in dict.fromkeys(addresses)
        ]
        for gone in known.keys() - set(addresses):
            known[gone].retire()
        if self._count(State.CLOSED):
            self.left_out_since = None


class Tries:
    """How often one exchange was tried, and whether it is to be once more."""

    def __init__(self, upstream: Upstream, *, repeatable: bool) -> None:
        self._upstream = upstream
        self._repeatable = repeatable
        self._unsent = 0
        self._until = 0.0
        self.sent_again = False

    async def again(self, failure: ForwardingFailure, pool: Pool) -> None:
        """Wait until it can be tried again after this failure at `pool`; raises the failure when it may not be.

        What was not sent is tried twice more within a second, whatever it is. What may have been is sent once more if
        it is `repeatable`: then twice is as good as once.
        """
        if not isinstance(failure, ServiceUnreachable):
            if not self._repeatable or self.sent_again or not self._upstream.may_try_again("sent"):
                raise failure
            self.sent_again = True
            return
        now = asyncio.get_running_loop().time()
        self._until = self._until or now + UNSENT_SECONDS
        if self._unsent == UNSENT_TRIES or now >= self._until or not self._upstream.may_try_again("unsent"):
            raise failure
        self._unsent += 1
        if self._upstream.choose(pool) is pool:
            await asyncio.sleep(UNSENT_PAUSE * self._unsent * uniform(0.8, 1.2))  # noqa: S311 - no secret


async def _lives(pool: Pool) -> bool:
    """Ask over a connection of its own: those of the pool may all be waiting."""
    probing = Pool(pool.address, limits=replace(pool.limits, connections=1))
    try:
        connection = await probing.acquire(_PROBE)
        connection.begin(b"GET", _PROBE)
        connection.due = connection.started_at + _PROBE.first_byte
        connection.request_sent = True
        connection.write(b"GET %b HTTP/1.1\r\nhost: %b\r\n\r\n" % (LIVE.encode(), str(pool.address).encode()))
        return (await connection.answered()).status == 200
    except ForwardingFailure:
        return False
    finally:
        probing.close()


def _tell_unknown(task: "asyncio.Task[None]") -> None:
    """Tell that names could not be looked up: it goes on with the addresses of before."""
    if not task.cancelled() and isinstance(error := task.exception(), ServiceUnreachable):
        log.warning("addresses_not_looked_up", extra={"reason": str(error)})
