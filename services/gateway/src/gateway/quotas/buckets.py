"""A token bucket for each client, in this process's memory: what lies in it may be spent at once, then at its rate."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from math import ceil, inf
from time import monotonic
from typing import Final, NamedTuple

from sqlalchemy import select

from database import Database
from gateway.quotas.tables import ClientQuota
from webapi.problems import UNAVAILABLE, Problem, Refusal

REFRESH_SECONDS: Final = 3.0
_MINUTE: Final = 60
QUOTA_EXCEEDED: Final = Problem(
    429, "quota_exceeded", "This application sends too many requests; try later.", "该应用请求过于频繁，请稍后再试。"
)
CLIENT_SUSPENDED: Final = Problem(403, "client_suspended", "This application is suspended.", "该应用已被暂停使用。")
NOT_LET_IN: Final = (QUOTA_EXCEEDED, CLIENT_SUSPENDED, UNAVAILABLE)

log = logging.getLogger(__name__)


class QuotasUnread(Exception):
    """What identity told of its clients has not been read since this process began."""


class Quota(NamedTuple):
    """How many requests a minute a client may send, or none at all while it is suspended; and from pages of where."""

    requests_per_minute: int
    suspended: bool
    origins: frozenset[str] = frozenset()


class _Bucket:
    __slots__ = ("at", "left", "quota", "rate")

    def __init__(self, quota: Quota, at: float) -> None:
        self.left = inf
        self.at = at
        self.change(quota)

    def change(self, quota: Quota) -> None:
        """Go on under a quota, with no more than it holds."""
        self.quota = quota
        self.rate = quota.requests_per_minute / _MINUTE
        self.left = min(self.left, float(quota.requests_per_minute))


class Quotas:
    """The quotas of all clients; one that identity never told of has `default` requests a minute.

    Until they are known for the first time nobody is let in: whoever is suspended could not be told from the others.

    A bucket holds a minute's requests, so whoever waited may send them at once. Buckets are as many as clients: only a
    verified token leads to one.
    """

    def __init__(self, default: int, *, clock: Callable[[], float] = monotonic) -> None:
        self._default = Quota(default, suspended=False)
        self._clock = clock
        self._told: Mapping[str, Quota] | None = None
        self._origins: frozenset[str] = frozenset()
        self._buckets: dict[str, _Bucket] = {}

    def take(self, client_id: str) -> None:
        """Count one request of the client.

        Raises the 429 problem `quota_exceeded` with Retry-After, the 403 problem `client_suspended`, or the 503 problem
        `unavailable` while no quotas are known.
        """
        if self._told is None:
            raise Refusal(UNAVAILABLE, headers={"retry-after": str(ceil(REFRESH_SECONDS))})
        now = self._clock()
        bucket = self._buckets.get(client_id)
        if bucket is None:
            bucket = self._buckets[client_id] = _Bucket(self._told.get(client_id, self._default), now)
        quota = bucket.quota
        left = min(bucket.left + (now - bucket.at) * bucket.rate, float(quota.requests_per_minute))
        bucket.at = now
        if left >= 1.0 and not quota.suspended:
            bucket.left = left - 1.0
            return
        bucket.left = left
        if quota.suspended:
            raise Refusal(CLIENT_SUSPENDED)
        raise _exceeded(quota, seconds=(1.0 - left) / bucket.rate)

    def knows_origin(self, origin: str) -> bool:
        """Say whether any client that is not suspended is registered at this origin."""
        return origin in self._origins

    def origins_of(self, client_id: str) -> frozenset[str]:
        """Give the origins whose pages may use this client's tokens; none of a client that identity never told of."""
        return (self._told or {}).get(client_id, self._default).origins

    def replace(self, stated: Mapping[str, Quota]) -> None:
        """Take over what is known of all clients now."""
        self._told = stated
        self._origins = frozenset(origin for told in stated.values() if not told.suspended for origin in told.origins)
        for client_id, bucket in self._buckets.items():
            quota = stated.get(client_id, self._default)
            if quota != bucket.quota:
                bucket.change(quota)

    async def check(self) -> None:
        """Raise `QuotasUnread` until the quotas have been read once: until then every client is refused."""
        if self._told is None:
            raise QuotasUnread

    def kept(self, database: Database) -> Callable[[object], AbstractAsyncContextManager[None]]:
        """Give the hook that reads the quotas from `database` every three seconds while the application runs."""

        @asynccontextmanager
        async def keeping(_: object) -> AsyncIterator[None]:
            await self._read(database)
            task = asyncio.create_task(self._keep_reading(database))
            try:
                yield
            finally:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

        return keeping

    async def _keep_reading(self, database: Database) -> None:
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            await self._read(database)

    async def _read(self, database: Database) -> None:
        told = (ClientQuota.requests_per_minute, ClientQuota.suspended, ClientQuota.origins)
        try:
            async with database.read() as session:
                rows = await session.execute(select(ClientQuota.client_id, *told))
                self.replace({client: Quota(most, out, frozenset(origins)) for client, most, out, origins in rows})
        except Exception:  # whatever keeps the database from answering, what was read last goes on to hold
            log.exception("quotas_not_read")


def _exceeded(quota: Quota, *, seconds: float) -> Refusal:
    """Tell when the next request may come, as draft-ietf-httpapi-ratelimit-headers-10 writes it too."""
    wait = max(1, ceil(seconds))
    return Refusal(
        QUOTA_EXCEEDED,
        headers={
            "retry-after": str(wait),
            "ratelimit-policy": f'"client";q={quota.requests_per_minute};w={_MINUTE}',
            "ratelimit": f'"client";r=0;t={wait}',
        },
    )
