"""Ids and the clock, read at the edge of a service and handed down from there."""

from datetime import UTC, datetime
from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """Make a UUIDv7 (RFC 9562): unique anywhere, and sorted by time."""
    return uuid7()


def utc_now() -> datetime:
    """Give the present time, aware, in UTC."""
    return datetime.now(UTC)
