"""A token bucket: what lies in it may be spent at once, then at the rate at which it fills; one for each who asks."""

from collections import OrderedDict
from collections.abc import Hashable
from math import ceil
from typing import Final, NamedTuple

from webapi.problems import Problem, Refusal, retry_after

MINUTE: Final = 60
MOST_BUCKETS: Final = 100_000


class Rate(NamedTuple):
    """So many a minute, and so many at once."""

    per_minute: int
    at_once: int


class Bucket:
    """Holds `most` at most; `left` is what lay in it `at` the clock's time."""

    __slots__ = ("at", "left", "most", "per_second", "rate")

    def __init__(self, rate: Rate, at: float) -> None:
        self.left = float(rate.at_once)
        self.at = at
        self.fill_at(rate)

    def fill_at(self, rate: Rate, share: float = 1.0) -> None:
        """Go on at a share of a rate, with no more than it holds at once."""
        self.rate = rate
        self.per_second = share * rate.per_minute / MINUTE
        self.most = share * rate.at_once
        self.left = min(self.left, self.most)

    def filled(self, now: float) -> float:
        """Say what lies in it now."""
        left = self.left + (now - self.at) * self.per_second
        self.left = left = min(left, self.most)
        self.at = now
        return left


class Buckets(OrderedDict[Hashable, Bucket]):
    """The buckets of those who ask and have spent of them, the one that was asked for longest ago first.

    One that is full again is forgotten, and of more than `MOST_BUCKETS` the first, whose owner has a full one then.
    """

    def of(self, key: Hashable, rate: Rate, now: float) -> Bucket:
        """Give somebody's bucket, full at first, which goes on at this rate."""
        bucket = self.get(key)
        if bucket is not None:
            self.move_to_end(key)
            if bucket.rate is not rate:
                bucket.fill_at(rate)
            return bucket
        for _ in range(2):  # more than are added, so that those who have gone go soon
            oldest = next(iter(self), None)
            if oldest is None or (bucket := self[oldest]).filled(now) < bucket.most:
                break
            del self[oldest]
        if len(self) >= MOST_BUCKETS:
            self.popitem(last=False)
        bucket = self[key] = Bucket(rate, now)
        return bucket


def over(problem: Problem, name: str, bucket: Bucket) -> Refusal:
    """Tell when the next request may come, as draft-ietf-httpapi-ratelimit-headers-10 writes it too.

    Those who are refused at once are not told to come at once again: Retry-After is later than need be by chance.
    """
    soon = bucket.per_second * MINUTE > 1.0  # a share changes in seconds, so a small one is no reason to wait long
    wait = max(1, ceil((1.0 - bucket.left) / bucket.per_second)) if soon else MINUTE
    return Refusal(
        problem,
        headers={
            "retry-after": retry_after(wait),
            "ratelimit-policy": f'"{name}";q={bucket.rate.per_minute};w={MINUTE}',
            "ratelimit": f'"{name}";r=0;t={wait}',
        },
    )
