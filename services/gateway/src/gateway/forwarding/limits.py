"""Sizes and times that bound every exchange with a service."""

from dataclasses import dataclass
from typing import Final

from gateway.edge.deadlines import READ_SECONDS
from webapi.requests import BODY_LIMIT

KIB: Final = 1024
MIB: Final = 1024 * 1024

HELD_WHOLE: Final = BODY_LIMIT
"""A body of at most what services read as JSON waits here until it is whole, an answer until it is read."""
LONGEST_TARGET: Final = 8 * KIB
"""Bytes of a request's path and query."""
LARGEST_HEAD: Final = 32 * KIB
"""Bytes of a request's headers."""
MOST_HEADERS: Final = 100


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Times of one exchange, in seconds; `total` None is for streams that live as long as both sides want."""

    connect: float = 2.0
    queue: float = 2.0
    first_byte: float = READ_SECONDS
    """From when the request is whole to the head of its answer, whatever it waits for in between."""
    idle: float = 30.0
    """Without a byte of an answer that has begun, or with nothing taken of a body that is still being sent."""
    total: float | None = 300.0
    """Of waiting for the service; waiting for a client has a least rate instead (`slow_clients`)."""
    watch_after: float = 0.2
    """From this age on an exchange watches whether its client is still there; quick ones are over before."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes of one service's pool and of its answers."""

    connections: int = 64
    waiting: int = 256
    idle_seconds: float = 30.0
    """Shorter than the services keep an idle connection (75 s), so that the gateway is the one who closes."""
    age_seconds: float = 120.0
    """A connection's life: afterwards the next one may reach another instance of the service."""
    head_bytes: int = 32 * KIB
    header_count: int = 100
    buffer_bytes: int = 64 * KIB
    stuck_seconds: float = 1.0
    """An exchange that waits so long for its client to read on needs one of the connections that may wait."""
    sweep_seconds: float = 0.25
    """How often times are checked, and so how exact they are."""
