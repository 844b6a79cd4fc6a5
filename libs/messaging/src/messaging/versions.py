"""Versions of aggregates across epochs: what an owner says after it was restored outranks what it has forgotten.

A restored owner counts on from the version of its copy, below what others heard of the time that was lost. So its
events carry the epoch they were written in, and a reader orders by epoch first: `(epoch - 1) << 40 | version`. The
number orders projections and never leaves the system; people are told the aggregate's own.
"""

from typing import Final

from contracts.envelope import MAX_VERSION

EPOCH: Final = "Xq-Epoch"
"""The header that names an event's epoch; without it, it is the first."""

MAX_EPOCH: Final = 2**22
_SHIFT: Final = 40


def ordered(epoch: int, version: int) -> int:
    """Give the number that orders an aggregate's events over all epochs; in the first it is the version."""
    return (epoch - 1) << _SHIFT | version


def own_version(number: int) -> int:
    """Give the aggregate's own version that an ordered number holds."""
    return number & MAX_VERSION
