"""What clients, people and addresses may ask, each by a bucket in this process's memory."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from math import ceil
from time import monotonic
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes
from uuid import UUID

from gateway.quotas.bucket import MINUTE, Bucket, Buckets, Rate, over
from gateway.quotas.shares import Shares
from webapi.networks import TIMES_AROUND, around_of, network_of
from webapi.problems import TOKEN_INVALID, UNAVAILABLE, Problem, Refusal

REFRESH_SECONDS: Final = 3.0
_NEEDS_NOTHING: Final = 0.001
PERSON: Final = Rate(300, at_once=60)
"""What a person may ask through one client."""
ADDRESS: Final = Rate(6_000, at_once=3_000)
"""What may come from an address without a token: a carrier puts a town behind one."""
REFUSED: Final = Rate(6, at_once=100)
"""How often a person may be refused somebody else's thing; a list that has grown old leads to some dozens."""
QUOTA_EXCEEDED: Final = Problem(
    429, "quota_exceeded", "This application sends too many requests; try later.", "该应用请求过于频繁，请稍后再试。"
)
CLIENT_SUSPENDED: Final = Problem(403, "client_suspended", "This application is suspended.", "该应用已被暂停使用。")
TOO_MANY_REQUESTS: Final = Problem(
    429, "too_many_requests", "Too many requests at once; try later.", "请求过于频繁，请稍后再试。"
)
TOO_MANY_REFUSED: Final = Problem(
    429,
    "too_many_refused",
    "You asked too often for what is not yours to see; try later, or start again from a list.",
    "您多次访问无权查看的内容，请稍后再试，或从列表重新进入。",
)
NOT_LET_IN: Final = (QUOTA_EXCEEDED, CLIENT_SUSPENDED, UNAVAILABLE, TOO_MANY_REQUESTS, TOO_MANY_REFUSED)
_AN_ID: Final = re.compile(rb"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE)


class QuotasUnread(Exception):
    """What identity told of its clients has not been read since this process began."""


class Quota(NamedTuple):
    """How many requests a minute a client may send, or none at all while it is suspended; and from pages of where."""

    requests_per_minute: int
    suspended: bool
    origins: frozenset[str] = frozenset()


class _Bucket(Bucket):
    """A client's, in this process: it holds its share of a minute's requests; whoever waited may send them at once."""

    __slots__ = ("asked", "need", "of_a_person", "quota", "share")

    def __init__(self, quota: Quota, share: float, person: Rate, at: float) -> None:
        super().__init__(_rate_of(quota), at)
        self.asked = 0
        self.need = 0.0
        self.change(quota, share, person)

    def change(self, quota: Quota, share: float, person: Rate) -> None:
        """Go on under this share of a quota, of which one person has half at most."""
        self.quota, self.share = quota, share
        self.fill_at(_rate_of(quota), share)
        half = max(1, quota.requests_per_minute // 2)
        self.of_a_person = Rate(min(person.per_minute, half), min(person.at_once, half))


class Quotas:
    """The quotas of all clients; one that identity never told of has `default` requests a minute.

    Of a quota this process has a share; the others have the rest.

    Until they are known for the first time nobody is let in: whoever is suspended could not be told from the others.
    Buckets of clients are as many as clients: only a verified token leads to one.

    Within a client's quota each person has a bucket of their own, of half the quota at most. In an assisted session the
    helper is who asks. Who brings no token shares their address's bucket.
    """

    def __init__(
        self,
        default: int,
        *,
        person: Rate = PERSON,
        address: Rate = ADDRESS,
        refused: Rate = REFUSED,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._default = Quota(default, suspended=False)
        self._clock = clock
        self._told: Mapping[str, Quota] | None = None
        self._origins: frozenset[str] = frozenset()
        self._buckets: dict[str, _Bucket] = {}
        self._shares = Shares()
        self._person, self._address, self._refused = person, address, refused
        self._networks, self._unproven_networks = Buckets(), Buckets()
        self._around = Rate(TIMES_AROUND * address.per_minute, TIMES_AROUND * address.at_once)
        self._people, self._addresses, self._tried, self._unproven = Buckets(), Buckets(), Buckets(), Buckets()

    def take(self, client_id: str, person_id: UUID | None = None, *target: bytes) -> None:
        """Count one request of the client, by a person unless it acts by itself; `target` is its path and query.

        A refused one counts for nobody. Raises the 429 problem `quota_exceeded`, `too_many_requests` or, where the
        target names something by its id, `too_many_refused`, all with Retry-After; the 403 problem `client_suspended`,
        or the 503 problem `unavailable` while no quotas are known.
        """
        if self._told is None:
            raise Refusal(UNAVAILABLE, headers={"retry-after": str(ceil(REFRESH_SECONDS))})
        now = self._clock()
        client = self._buckets.get(client_id)
        if client is None:
            quota = self._told.get(client_id, self._default)
            client = self._buckets[client_id] = _Bucket(quota, self._shares.of(client_id), self._person, now)
        client.asked += 1
        if client.quota.suspended:
            raise Refusal(CLIENT_SUSPENDED)
        person = None
        if person_id is not None:
            self.check_tried(client_id, person_id, *target)
            person = self._people.of((client_id, person_id.int), client.of_a_person, now)
            if person.filled(now) < 1.0:
                raise over(TOO_MANY_REQUESTS, "person", person)
        if client.filled(now) < 1.0:
            raise over(QUOTA_EXCEEDED, "client", client)
        client.left -= 1.0
        if person is not None:
            person.left -= 1.0

    def take_address(self, address: str) -> None:
        """Count one request that brings no good token; raises the 429 problem `too_many_requests`."""
        now = self._clock()
        found = self._at(self._addresses, self._networks, address, now)
        for name, bucket in found:
            if bucket.filled(now) < 1.0:
                raise over(TOO_MANY_REQUESTS, name, bucket)
        for _, bucket in found:
            bucket.left -= 1.0

    def _at(self, kept: Buckets, wider: Buckets, address: str, now: float) -> list[tuple[str, Bucket]]:
        """Give an address's bucket, and the one of the network around it."""
        found = [("address", kept.of(network_of(address), self._address, now))]
        around = around_of(address)
        return found if around is None else [*found, ("network", wider.of(around, self._around, now))]

    @contextmanager
    def unproven(self, session_id: str | None, address: str) -> Iterator[None]:
        """Count a token while it is verified, and for good if it is invalid; who brings too many has none verified.

        They are the address's, but where a token names a session that is known, this session's: nobody at an address
        keeps others there from renewing theirs. Raises the 429 problem `too_many_requests`.
        """
        now = self._clock()
        if session_id is None:
            buckets = [bucket for _, bucket in self._at(self._unproven, self._unproven_networks, address, now)]
        else:
            buckets = [self._unproven.of((session_id,), self._person, now)]
        for bucket in buckets:
            if bucket.filled(now) < 1.0:
                raise over(TOO_MANY_REQUESTS, "invalid tokens", bucket)
        for bucket in buckets:
            bucket.left -= 1.0
        invalid = False
        try:
            yield
        except Refusal as refusal:
            invalid = refusal.problem is TOKEN_INVALID
            raise
        finally:
            if not invalid:
                for bucket in buckets:
                    bucket.left += 1.0

    def check_tried(self, client_id: str, person_id: UUID, *target: bytes) -> None:
        """Raise the 429 problem `too_many_refused` where the target has an id in it and its person tried too many."""
        tried = self._tried.get((client_id, person_id.int))
        if tried is not None and tried.filled(self._clock()) < 1.0 and any(map(_names_an_id, target)):
            raise over(TOO_MANY_REFUSED, "refused", tried)

    def was_refused(self, client_id: str, person_id: UUID, *target: bytes) -> None:
        """Count that a person was refused something by its id; that it is not theirs, or that there is none."""
        if any(map(_names_an_id, target)):
            now = self._clock()
            bucket = self._tried.of((client_id, person_id.int), self._refused, now)
            bucket.left = max(0.0, bucket.filled(now) - 1.0)

    def knows_origin(self, origin: str) -> bool:
        """Say whether any client that is not suspended is registered at this origin."""
        return origin in self._origins

    def origins_of(self, client_id: str) -> frozenset[str]:
        """Give the origins whose pages may use this client's tokens; none of a client that identity never told of."""
        return (self._told or {}).get(client_id, self._default).origins

    def needs(self, seconds: float) -> dict[str, float]:
        """Give the part of each client's quota that was asked for here in these seconds, and half as much again.

        It falls slowly, so that nobody's share goes with a pause; a client whose bucket is full again is forgotten.
        """
        now = self._clock()
        for client_id, bucket in list(self._buckets.items()):
            asked = 1.5 * bucket.asked * MINUTE / seconds / bucket.quota.requests_per_minute
            bucket.need = min(1.0, max(asked, 0.8 * bucket.need))
            bucket.left = bucket.filled(now)
            if not bucket.asked and bucket.left >= bucket.most and bucket.need < _NEEDS_NOTHING:
                del self._buckets[client_id]
            bucket.asked = 0
        return {client_id: bucket.need for client_id, bucket in self._buckets.items()}

    def share(self, shares: Shares) -> None:
        """Go on with these shares."""
        self._shares = shares
        for client_id, bucket in self._buckets.items():
            bucket.change(bucket.quota, shares.of(client_id), self._person)

    def replace(self, stated: Mapping[str, Quota]) -> None:
        """Take over what is known of all clients now."""
        self._told = stated
        self._origins = frozenset(origin for told in stated.values() if not told.suspended for origin in told.origins)
        for client_id, bucket in self._buckets.items():
            quota = stated.get(client_id, self._default)
            if quota != bucket.quota:
                bucket.change(quota, bucket.share, self._person)

    async def check(self) -> None:
        """Raise `QuotasUnread` until the quotas have been read once: until then every client is refused."""
        if self._told is None:
            raise QuotasUnread


def _names_an_id(part: bytes) -> bool:
    """Say whether a path or a query has an id in it, as a service reads it: any sign may come as an escape."""
    return _AN_ID.search(unquote_to_bytes(part)) is not None


def _rate_of(quota: Quota) -> Rate:
    return Rate(quota.requests_per_minute, quota.requests_per_minute)
