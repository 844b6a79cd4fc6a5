"""Whether a client is part of the system itself, which alone decides over a whole account."""

from sqlalchemy import select

from identity.clients.tables import Client
from webapi import AuthenticatedCaller, Problem, Refusal

FIRST_PARTY_ONLY = Problem(
    403,
    "first_party_only",
    "A client of somebody else cannot do this; use the system's own.",
    "第三方客户端不能进行此项操作，请使用本系统自带的客户端。",
)


async def require_first_party(caller: AuthenticatedCaller) -> None:
    """Demand a client of the system itself for what decides over the whole account: no consent gives that to others.

    Raises the 403 problem `first_party_only`.
    """
    async with caller.read() as session:
        is_ours = await session.scalar(select(Client.first_party).where(Client.client_id == caller.principal.client_id))
    if not is_ours:
        raise Refusal(FIRST_PARTY_ONLY)
