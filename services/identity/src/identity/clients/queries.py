"""Clients with the proposals that wait for their review."""

from sqlalchemy import Select, and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from database import known, narrowed, page_of
from identity.clients.commands import ClientUnknown
from identity.clients.schemas import ClientOut, ProposalOut
from identity.clients.tables import Client, ClientProposal
from webapi import PageRequest

_PENDING = and_(ClientProposal.client_id == Client.client_id, ClientProposal.status == "pending")


def clients() -> Select[Client, ClientProposal]:
    """Select clients, each with its pending proposal or None."""
    return select(Client, ClientProposal).outerjoin(ClientProposal, _PENDING)


def clients_after(page: PageRequest, status: str | None) -> Select[Client, ClientProposal]:
    """Select a page of the clients by id, those of one status or all."""
    chosen = narrowed(clients(), {Client.status: status})
    return page_of(chosen, Client.client_id, after=page.after(str), limit=page.fetch)


async def client_by_id(session: AsyncSession, client_id: str) -> ClientOut:
    """Give one client. Raises `ClientUnknown`."""
    row = known((await session.execute(clients().where(Client.client_id == client_id))).one_or_none(), ClientUnknown)
    return shaped(*row)


def shaped(client: Client, proposal: ClientProposal | None) -> ClientOut:
    """Give a client as routes answer with it."""
    shown = ClientOut.model_validate(client)
    if proposal is None:
        return shown
    return shown.model_copy(update={"proposal": ProposalOut.model_validate(proposal)})
