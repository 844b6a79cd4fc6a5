"""Limits of the gateway that a test's handful of people, all at one address, does not meet."""

from collections.abc import Mapping
from typing import Final

OUT_OF_REACH: Final[Mapping[str, str]] = {
    f"XIANGQIAO_{name}": "100000000"
    for name in (
        "CLIENT_REQUESTS_PER_MINUTE",
        "PERSON_REQUESTS_PER_MINUTE",
        "PERSON_REQUESTS_AT_ONCE",
        "PERSON_REFUSED_AT_ONCE",
        "ADDRESS_REQUESTS_PER_MINUTE",
    )
}
"""Settings of the gateway, in its environment: the buckets stand, and none is ever empty."""
