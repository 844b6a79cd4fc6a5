"""What OAuth decides by rule alone: addresses answers may go to, scopes, lifetimes."""

import re
from datetime import datetime, timedelta

from identity.clients.rules import TERMINAL

ACCESS_TOKEN_LIFETIME = timedelta(minutes=10)
CODE_LIFETIME = timedelta(minutes=1)
FAMILY_LIFETIME = timedelta(days=30)
"""A refresh token rotates inside its family; the family ends this long after the sign-in of the front end."""

SAME_SUCCESSOR_FOR = timedelta(seconds=60)
"""How long a used refresh token gives the same successor again: an answer was lost, or two tabs refreshed at once."""

TERMINAL_ACCESS_TOKEN_LIFETIME = timedelta(minutes=5)
TERMINAL_FAMILY_LIFETIME = timedelta(hours=8)
TERMINAL_IDLE = timedelta(minutes=10)
"""A terminal refreshes while somebody uses it; without that, the sign-in ends this long after the last time."""


_IDENTIFIER = re.compile(r"[\x21-\x7e]{1,128}")


def access_token_lifetime(application_type: str) -> timedelta:
    """Give how long an access token of a client of this type lives."""
    return TERMINAL_ACCESS_TOKEN_LIFETIME if application_type == TERMINAL else ACCESS_TOKEN_LIFETIME


def family_lifetime(application_type: str) -> timedelta:
    """Give how long after its sign-in a family of a client of this type ends."""
    return TERMINAL_FAMILY_LIFETIME if application_type == TERMINAL else FAMILY_LIFETIME


def idle_until(application_type: str, now: datetime) -> datetime | None:
    """Give when a family that was used now ends unless it is used again; None where it may rest."""
    return now + TERMINAL_IDLE if application_type == TERMINAL else None


def identifier_of(value: object) -> str | None:
    """Give the id of a client or key that somebody brings, None for what can be none: it goes into a query."""
    return value if isinstance(value, str) and _IDENTIFIER.fullmatch(value) else None
