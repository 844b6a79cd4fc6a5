"""What is told of clients anew; a client whose approval a restore lost is withdrawn, and a lost suspension stands."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.identity import ClientQuotaSetV1, ClientWithdrawnV1
from identity.clients.commands import quota_of, tell_quota
from identity.clients.tables import Client
from messaging import Received, Telling, Told


def _tell(client: Client) -> Telling:
    return Telling(quota_of(client), client.version, client.registered_at)


async def adopt_suspensions(session: AsyncSession, lost: Sequence[Received[ClientQuotaSetV1]]) -> Collection[UUID]:
    """Suspend again who was suspended, and tell it: the terms are here alone, and are those of before."""
    suspended = {each.event.client_principal_id: each.version for each in lost if each.event.status == "suspended"}
    found = select(Client).where(Client.principal_id.in_(suspended), Client.status == "active")
    clients = (await session.scalars(found.order_by(Client.client_id).with_for_update())).all()
    for client in clients:
        client.status, client.changes = "suspended", client.changes + 1
        client.version = max(client.version, suspended[client.principal_id])
        await tell_quota(session, client, None)
    return [client.principal_id for client in clients]


TOLD = Told(
    ClientQuotaSetV1,
    select(Client).where(Client.version > 0),
    Client.principal_id,
    _tell,
    withdrawn=ClientWithdrawnV1,
    adopt=adopt_suspensions,
    never_goes_back=True,
)
