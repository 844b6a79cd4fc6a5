"""What OAuth decides by rule alone: addresses answers may go to, scopes, lifetimes."""

import re
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from contracts.scopes import API_SCOPES

ACCESS_TOKEN_LIFETIME = timedelta(minutes=10)
CODE_LIFETIME = timedelta(minutes=1)
FAMILY_LIFETIME = timedelta(days=30)
"""A refresh token rotates inside its family; the family ends this long after the sign-in of the front end."""

TERMINAL = "terminal"
"""The application type of a machine that many people use in turn: it forgets each of them soon."""
TERMINAL_ACCESS_TOKEN_LIFETIME = timedelta(minutes=5)
TERMINAL_FAMILY_LIFETIME = timedelta(hours=8)
TERMINAL_IDLE = timedelta(minutes=10)
"""A terminal refreshes while somebody uses it; without that, the sign-in ends this long after the last time."""

SCOPES_OF_PEOPLE = ("openid", "profile")
SCOPES_OF_SERVICES = ("introspect",)
"""For clients that act by themselves alone: `introspect` lets a service ask about tokens that others hold."""
SCOPES = (*SCOPES_OF_PEOPLE, *API_SCOPES, *SCOPES_OF_SERVICES)
"""What a client may ask for; those of the API are for clients that act for people and for those that do not."""

_IDENTIFIER = re.compile(r"[\x21-\x7e]{1,128}")
_LOOPBACK = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::([1-9][0-9]{0,4}))?(/.*)")
_HIGHEST_PORT = 65535


def access_token_lifetime(application_type: str) -> timedelta:
    """Give how long an access token of a client of this type lives."""
    return TERMINAL_ACCESS_TOKEN_LIFETIME if application_type == TERMINAL else ACCESS_TOKEN_LIFETIME


def family_lifetime(application_type: str) -> timedelta:
    """Give how long after its sign-in a family of a client of this type ends."""
    return TERMINAL_FAMILY_LIFETIME if application_type == TERMINAL else FAMILY_LIFETIME


def idle_until(application_type: str, now: datetime) -> datetime | None:
    """Give when a family that was used now ends unless it is used again; None where it may rest."""
    return now + TERMINAL_IDLE if application_type == TERMINAL else None


def redirect_uri_allowed(requested: str, registered: Collection[str], *, native: bool) -> bool:
    """Say whether an answer may be sent to `requested`: equal, character by character, to a registered address.

    The one exception is a native application on the loopback address: the port it was given by its system is free
    (RFC 8252, section 7.3), when the registered address names none.
    """
    if requested in registered:
        return True
    match = _LOOPBACK.fullmatch(requested) if native else None
    if match is None or match[2] is None or int(match[2]) > _HIGHEST_PORT:
        return False
    return match[1] + match[3] in registered


def allowed_scope(requested: str | None, registered: Sequence[str]) -> str | None:
    """Give those of the requested scopes that are registered, all of them when none is named, None when none is left.

    Scopes nobody knows are ignored, as OpenID Connect Core 3.1.2.1 says.
    """
    if not requested:
        return " ".join(registered)
    wanted = requested.split()
    kept = [scope for scope in registered if scope in wanted]
    return " ".join(kept) or None


def still_registered(granted: str, registered: Collection[str]) -> str:
    """Give those of the granted scopes, separated by spaces, that the client is still registered for."""
    return " ".join(scope for scope in granted.split() if scope in registered)


def identifier_of(value: object) -> str | None:
    """Give the id of a client or key that somebody brings, None for what can be none: it goes into a query."""
    return value if isinstance(value, str) and _IDENTIFIER.fullmatch(value) else None
