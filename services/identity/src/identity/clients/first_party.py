"""Whether a client is part of the system itself: in identity it alone carries anything out, with named exceptions."""

from typing import Any, Final

from fastapi.routing import APIRoute
from sqlalchemy import select

from identity.clients.tables import Client
from webapi import AuthenticatedCaller, Problem, Refusal
from webapi.access import because
from webapi.scopes import READING

FIRST_PARTY_ONLY = Problem(
    403,
    "first_party_only",
    "A client of somebody else cannot do this; use the system's own.",
    "第三方客户端不能进行此项操作，请使用本系统自带的客户端。",
)
EXTENSION: Final = "x-open-to-others"


def open_to_others(reason: str) -> dict[str, Any]:
    """Declare that clients of others may carry a command out, and why: `access("self") | open_to_others("...")`.

    Raises `ValueError`.
    """
    return because(EXTENSION, reason)


async def admit(caller: AuthenticatedCaller, route: APIRoute) -> None:
    """Let clients of others read, and carry out what is open to them; raises what `require_first_party` raises."""
    if not set(route.methods or ()) <= READING and EXTENSION not in (route.openapi_extra or {}):
        await require_first_party(caller)


async def require_first_party(caller: AuthenticatedCaller) -> None:
    """Demand a client of the system itself: no consent of a person gives others what decides over people.

    Raises the 403 problem `first_party_only`.
    """
    async with caller.read() as session:
        is_ours = await session.scalar(select(Client.first_party).where(Client.client_id == caller.principal.client_id))
    if not is_ours:
        raise Refusal(FIRST_PARTY_ONLY)
