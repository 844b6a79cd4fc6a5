"""Clients with the proposals that wait for their review."""

from sqlalchemy import Select, and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from database import known, narrowed
from identity.clients.commands import ClientUnknown
from identity.clients.schemas import ClientOut, ProposalOut
from identity.clients.tables import Client, ClientProposal
from webapi import Page, PageRequest

_PENDING = and_(ClientProposal.client_id == Client.client_id, ClientProposal.status == "pending")


def clients() -> Select[Client, ClientProposal]:
    """Select clients, each with its pending proposal or None."""
    return select(Client, ClientProposal).outerjoin(ClientProposal, _PENDING)


async def list_clients(session: AsyncSession, page: PageRequest, status: str | None) -> Page[ClientOut]:
    """List clients by id, those of one status or all."""
    chosen = narrowed(clients(), {Client.status: status})
    return await page.select(session, chosen, Client.client_id, shape=lambda row: shaped(*row))


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
