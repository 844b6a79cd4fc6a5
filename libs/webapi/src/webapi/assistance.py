"""What a helper may do in an assisted session: nothing, but where a route names the action that consent must cover."""

from collections.abc import Awaitable, Callable
from typing import Final

from database import Database
from webapi.authentication import Principal
from webapi.marks import F, marking
from webapi.problems import NOT_ASSISTABLE, Refusal

_ACTION_ATTRIBUTE: Final = "__assistable__"

AssistedRecorder = Callable[[Database, Principal, str, str | None], Awaitable[None]]
"""Keeps that a helper called an operation, and the code of the problem if that was refused: who acted, and for whom."""


def assistable(action: str) -> Callable[[F], F]:
    """Open a route to a helper whose assisted session covers `action`; stands below the route.

    Every other route answers an assisted token with the 403 problem `not_assistable`. OpenAPI shows the action as
    `x-assistable`.
    """
    return marking(_ACTION_ATTRIBUTE, action)


def action_of(endpoint: object) -> str | None:
    """Give the action that opens a route to helpers, or None where nothing does."""
    return getattr(endpoint, _ACTION_ATTRIBUTE, None)


def require_assistable(principal: Principal, endpoint: object) -> None:
    """Refuse a helper what the assisted session does not cover; raises the 403 problem `not_assistable`."""
    if principal.actor is None:
        return
    action = action_of(endpoint)
    if action is None or principal.assistance is None or action not in principal.assistance.actions:
        raise Refusal(NOT_ASSISTABLE)
