"""How long a browser session lasts, and what its cookies are called."""

from datetime import timedelta

SESSION_LIFETIME = timedelta(hours=12)
FORM_LIFETIME = 3600
"""Seconds in which a form that was shown may be sent."""

PASSWORD_ACR = "1"  # noqa: S105 - one factor: the lowest level of authentication


def cookie_name(purpose: str, *, secure: bool) -> str:
    """Give a cookie's name; under https the prefix makes browsers refuse one that another host or path set."""
    return f"__Host-{purpose}" if secure else purpose
