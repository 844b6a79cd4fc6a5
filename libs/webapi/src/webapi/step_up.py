"""Step-up (RFC 9470): some operations want the person to have proved more strongly, or lately, who they are."""

from datetime import timedelta
from typing import Final

from webapi.authentication import Principal
from webapi.problems import STEP_UP_REQUIRED, Refusal

LEVELS: Final = ("1", "2", "3")
"""How strongly somebody proved who they are, weakest first: one factor, two, a passkey or two witnesses."""
TWO_FACTORS: Final = "2"


def reaches(principal: Principal, level: str) -> bool:
    """Say whether the token's `acr` reaches `level`; what a helper proved says nothing of the person."""
    strong = principal.acr in LEVELS and LEVELS.index(principal.acr) >= LEVELS.index(level)
    return strong and principal.actor is None


def require_acr(principal: Principal, level: str, max_age: timedelta | None, *, now: float) -> None:
    """Raise the 401 problem `step_up_required` unless the token's `acr` reaches `level` and is no older than `max_age`.

    `now` in seconds since 1970. What a helper proved says nothing of the person, so an assisted token never meets it.
    Raises `ValueError` for a level there is not.
    """
    strong, since = reaches(principal, level), principal.authenticated_at
    if strong and (max_age is None or (since is not None and now - since <= max_age.total_seconds())):
        return
    why = "a stronger authentication is required" if not strong else "a more recent authentication is required"
    challenge = [
        'Bearer realm="xiangqiao"',
        'error="insufficient_user_authentication"',
        f'error_description="{why}"',
        f'acr_values="{level}"',
    ]
    if max_age is not None:
        challenge.append(f'max_age="{int(max_age.total_seconds())}"')
    raise Refusal(STEP_UP_REQUIRED, headers={"www-authenticate": ", ".join(challenge)}, acr_values=level)
