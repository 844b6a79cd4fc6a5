"""What OAuth decides by rule alone: addresses answers may go to, scopes, lifetimes."""

import re
from collections.abc import Collection, Sequence
from datetime import timedelta

ACCESS_TOKEN_LIFETIME = timedelta(minutes=10)
CODE_LIFETIME = timedelta(minutes=1)
FAMILY_LIFETIME = timedelta(days=30)
"""A refresh token rotates inside its family; the family ends this long after the sign-in of the front end."""

SCOPES = ("openid", "profile")

LONGEST_PARAMETER = 4_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LOOPBACK = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::([1-9][0-9]{0,4}))?(/.*)")
_HIGHEST_PORT = 65535


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


def acceptable(parameters: Sequence[tuple[str, str]]) -> bool:
    """Say whether request parameters are worth reading: each named once, bounded, without control characters."""
    names = [name for name, _ in parameters]
    return len(set(names)) == len(names) and not any(
        len(value) > LONGEST_PARAMETER or _CONTROL.search(name + value) for name, value in parameters
    )
