"""Proposing clients and changes of them, deciding on proposals, suspending; what gateways need of it is told."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

import audit
from contracts.identity import ClientQuotaSetV1
from database import known
from identity.clients.rules import origins_of, require_usable
from identity.clients.schemas import ClientTerms
from identity.clients.tables import Client, ClientProposal
from identity.secrets import hash_of, new_secret
from messaging import Publication, append
from webapi.versions import Expected

TOLD_IN = 1
"""Raised when `ClientQuotaSetV1` tells more than before, so that the next start tells it of every client."""
_BY_SECRET = frozenset({"client_secret_basic", "client_secret_post"})


class ClientUnknown(Exception):
    """There is no such client."""


class ClientExists(Exception):
    """The id brought for a client is taken."""


class ClientBuiltIn(Exception):
    """The client comes with the system: it follows the installation, not a proposal."""


class ProposalNotPending(Exception):
    """The proposal was decided on, or another one took its place."""


class FourEyes(Exception):
    """Nobody decides on their own proposal."""


class ClientNotInForce(Exception):
    """The client's status does not allow this."""


class ClientHasNoSecret(Exception):
    """The client does not prove itself by a secret."""


class Registered(NamedTuple):
    """A client, with its secret if this made one: nobody can read it again."""

    client: Client
    secret: str | None


async def propose_client(
    session: AsyncSession,
    *,
    client_id: str,
    principal_id: UUID,
    proposal_id: UUID,
    terms: ClientTerms,
    by: audit.Actor,
    now: datetime,
) -> tuple[Client, ClientProposal]:
    """Propose a client that there is not yet; it gets no tokens until somebody else approves it.

    Raises `ClientUnusable` and `ClientExists`.
    """
    values = _usable(terms)
    if await session.get(Client, client_id) is not None:
        raise ClientExists
    client = Client(
        client_id=client_id,
        principal_id=principal_id,
        status="proposed",
        first_party=False,
        changes=0,
        registered_at=now,
        **values,
    )
    session.add(client)
    await session.flush()
    return client, await _propose(session, client, proposal_id, terms, by=by, now=now)


async def propose_change(
    session: AsyncSession,
    *,
    client_id: str,
    proposal_id: UUID,
    terms: ClientTerms,
    expected: Expected,
    by: audit.Actor,
    now: datetime,
) -> tuple[Client, ClientProposal]:
    """Propose other terms for a client; those in force stay until somebody else approves. An earlier proposal goes.

    Raises `ClientUnusable`, `ClientUnknown` and `ClientBuiltIn`.
    """
    _usable(terms)
    client = await _locked(session, client_id, expected)
    if client.first_party:
        raise ClientBuiltIn
    pending = (ClientProposal.client_id == client_id, ClientProposal.status == "pending")
    await session.execute(update(ClientProposal).where(*pending).values(status="superseded"))
    return client, await _propose(session, client, proposal_id, terms, by=by, now=now)


async def approve(
    session: AsyncSession, *, client_id: str, proposal_id: UUID, expected: Expected, by: audit.Actor, now: datetime
) -> Registered:
    """Put a proposal in force. A client that proves itself by a secret and has none yet gets one.

    Raises `ClientUnknown`, `ProposalNotPending`, `FourEyes` and `ClientUnusable`.
    """
    client, proposal = await _decided(session, client_id, proposal_id, expected, "approved", by=by, now=now)
    for name, value in _usable(ClientTerms.model_validate(proposal.terms)).items():
        setattr(client, name, value)
    if client.status in {"proposed", "refused"}:
        client.status = "active"
    secret = None
    if client.token_endpoint_auth_method not in _BY_SECRET:
        client.secret_hash = None
    elif client.secret_hash is None:
        secret = new_secret()
        client.secret_hash = hash_of(secret)
    await tell_quota(session, client, by.actor)
    await audit.record(session, by.entry("identity.client.approved", object_id=client.principal_id), now=now)
    return Registered(client, secret)


async def refuse(
    session: AsyncSession, *, client_id: str, proposal_id: UUID, expected: Expected, by: audit.Actor, now: datetime
) -> Client:
    """Refuse a proposal: a new client stays without tokens, another stays as it is.

    Raises `ClientUnknown`, `ProposalNotPending` and `FourEyes`.
    """
    client, _ = await _decided(session, client_id, proposal_id, expected, "refused", by=by, now=now)
    if client.status == "proposed":
        client.status = "refused"
    await session.flush()
    await audit.record(session, by.entry("identity.client.refused", object_id=client.principal_id), now=now)
    return client


async def set_suspended(
    session: AsyncSession, *, client_id: str, suspended: bool, expected: Expected, by: audit.Actor, now: datetime
) -> Client:
    """Suspend a client, so that it gets no token and gateways let none of its tokens in; or let it go on.

    Raises `ClientUnknown`, `ClientBuiltIn` for suspending what the system itself needs, and `ClientNotInForce` for one
    that was never approved.
    """
    client = await _locked(session, client_id, expected)
    if suspended and client.first_party:
        raise ClientBuiltIn
    if client.status not in {"active", "suspended"}:
        raise ClientNotInForce
    wanted = "suspended" if suspended else "active"
    if client.status != wanted:
        client.status, client.changes = wanted, client.changes + 1
        await tell_quota(session, client, by.actor)
        action = f"identity.client.{'suspended' if suspended else 'resumed'}"
        await audit.record(session, by.entry(action, object_id=client.principal_id), now=now)
    return client


async def rotate_secret(
    session: AsyncSession, *, client_id: str, expected: Expected, by: audit.Actor, now: datetime
) -> Registered:
    """Give a client a new secret; the old one ends at once. Nobody gets the secret of a client they proposed.

    Raises `ClientUnknown`, `ClientNotInForce`, `ClientHasNoSecret` and `FourEyes`.
    """
    client = await _locked(session, client_id, expected)
    if client.status != "active":
        raise ClientNotInForce
    if client.token_endpoint_auth_method not in _BY_SECRET:
        raise ClientHasNoSecret
    approved = (ClientProposal.client_id == client_id, ClientProposal.status == "approved")
    in_force = select(ClientProposal.proposed_by).where(*approved).order_by(ClientProposal.decided_at.desc()).limit(1)
    if await session.scalar(in_force) == by.actor:
        raise FourEyes
    secret = new_secret()
    client.secret_hash = hash_of(secret)
    client.changes += 1
    await session.flush()
    await audit.record(session, by.entry("identity.client.secret_rotated", object_id=client.principal_id), now=now)
    return Registered(client, secret)


async def tell_quotas_anew(session: AsyncSession) -> None:
    """Tell the quota of every client in force that was told of never, or by a release that told less of it."""
    told_less = (Client.status.in_(("active", "suspended")), Client.told_in < TOLD_IN)
    for client in await session.scalars(select(Client).where(*told_less).with_for_update()):
        await tell_quota(session, client, None)


async def _propose(
    session: AsyncSession, client: Client, proposal_id: UUID, terms: ClientTerms, *, by: audit.Actor, now: datetime
) -> ClientProposal:
    proposal = ClientProposal(
        proposal_id=proposal_id,
        client_id=client.client_id,
        terms=terms.model_dump(mode="json", exclude_none=True),
        status="pending",
        proposed_by=by.actor,
        proposed_at=now,
    )
    session.add(proposal)
    client.changes += 1
    await session.flush()
    await audit.record(session, by.entry("identity.client.proposed", object_id=client.principal_id), now=now)
    return proposal


async def _decided(
    session: AsyncSession,
    client_id: str,
    proposal_id: UUID,
    expected: Expected,
    decision: str,
    *,
    by: audit.Actor,
    now: datetime,
) -> tuple[Client, ClientProposal]:
    """Lock client and proposal and decide on it, as somebody who did not make it."""
    client = await _locked(session, client_id, expected)
    this = (ClientProposal.proposal_id == proposal_id, ClientProposal.client_id == client_id)
    proposal = await session.scalar(select(ClientProposal).where(*this).with_for_update())
    if proposal is None or proposal.status != "pending":
        raise ProposalNotPending
    if proposal.proposed_by == by.actor:
        raise FourEyes
    proposal.status, proposal.decided_by, proposal.decided_at = decision, by.actor, now
    client.changes += 1
    return client, proposal


async def _locked(session: AsyncSession, client_id: str, expected: Expected) -> Client:
    found = await session.get(Client, client_id, with_for_update=True, populate_existing=True)
    client = known(found, ClientUnknown)
    expected.require(client.changes)
    return client


async def tell_quota(session: AsyncSession, client: Client, actor: UUID | None) -> None:
    """Count a change of what gateways need of a client, and tell it."""
    client.version += 1
    client.told_in = TOLD_IN
    await session.flush()
    await append(session, [Publication(quota_of(client), version=client.version)], actor=actor)


def quota_of(client: Client) -> ClientQuotaSetV1:
    """Give what gateways need of a client."""
    return ClientQuotaSetV1(
        client_principal_id=client.principal_id,
        client_id=client.client_id,
        requests_per_minute=client.requests_per_minute,
        status=client.status,
        origins=origins_of(client.redirect_uris) if client.application_type == "web" else (),
    )


def _usable(terms: ClientTerms) -> dict[str, object]:
    """Give the terms as columns. Raises `ClientUnusable`."""
    values = terms.model_dump(exclude={"jwks"})
    jwks = None if terms.jwks is None else terms.jwks.model_dump(exclude_none=True)
    require_usable(
        jwks=jwks,
        **{name: value for name, value in values.items() if name not in {"name_zh", "name_en", "requests_per_minute"}},
    )
    return {**values, "jwks": jwks}
