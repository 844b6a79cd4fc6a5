"""What people let clients of others have: which scopes, since when, and withdrawing it."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

import audit
from china_time import Moment
from database import known, page_of
from identity.clients.tables import Client
from identity.oauth.tables import AuthorizationCode, ClientConsent
from identity.sessions.revocation import revoke_families
from identity.sessions.tables import DeviceCode, TokenFamily
from webapi import PageRequest


class ConsentUnknown(Exception):
    """The person lets no such client have anything."""


def scopes_let(account_id: UUID, client_id: str) -> Select[list[str]]:
    """Select the scopes the person lets the client have; no row when none."""
    mine = (ClientConsent.account_id == account_id, ClientConsent.client_id == client_id)
    return select(ClientConsent.scopes).where(*mine, ClientConsent.withdrawn_at.is_(None))


async def grant_consent(
    session: AsyncSession, *, account_id: UUID, client_id: str, scopes: Collection[str], now: datetime
) -> None:
    """Let the client have these scopes beside those it was let have before; what was withdrawn does not come back."""
    stated = insert(ClientConsent).values(
        account_id=account_id, client_id=client_id, scopes=sorted(scopes), granted_at=now, withdrawn_at=None
    )
    before = await session.scalar(scopes_let(account_id, client_id).with_for_update()) or []
    changed = {"scopes": sorted({*before, *scopes}), "granted_at": now, "withdrawn_at": None}
    await session.execute(stated.on_conflict_do_update(index_elements=["account_id", "client_id"], set_=changed))
    await _record(session, "identity.client_consent.granted", account_id, client_id, now)


async def withdraw_consent(session: AsyncSession, *, account_id: UUID, client_id: str, now: datetime) -> None:
    """Take everything back from the client, and end what it was signed in to. Raises `ConsentUnknown`."""
    given = (ClientConsent.account_id == account_id, ClientConsent.client_id == client_id)
    withdrawn = update(ClientConsent).where(*given, ClientConsent.withdrawn_at.is_(None)).values(withdrawn_at=now)
    known(await session.scalar(withdrawn.returning(ClientConsent.client_id)), ConsentUnknown)
    for codes in (AuthorizationCode, DeviceCode):  # what was given and not redeemed yet gives nothing any more
        waiting = (codes.account_id == account_id, codes.client_id == client_id, codes.used_at.is_(None))
        await session.execute(update(codes).where(*waiting).values(expires_at=now))
    families = (TokenFamily.account_id == account_id, TokenFamily.client_id == client_id)
    await revoke_families(session, *families, reason="consent_withdrawn", now=now, actor=account_id)
    await _record(session, "identity.client_consent.withdrawn", account_id, client_id, now)


def consents_after(page: PageRequest, account_id: UUID) -> Select[*tuple[Any, ...]]:
    """Select a page of a person's living consents with the clients' names, in the shape of `ClientConsentOut`."""
    chosen = (
        select(ClientConsent.client_id, Client.name_zh, Client.name_en, ClientConsent.scopes, ClientConsent.granted_at)
        .join(Client, Client.client_id == ClientConsent.client_id)
        .where(ClientConsent.account_id == account_id, ClientConsent.withdrawn_at.is_(None))
    )
    key, after = (ClientConsent.granted_at, ClientConsent.client_id), page.after(Moment, str)
    return page_of(chosen, *key, after=after, limit=page.fetch, latest_first=True)


async def _record(session: AsyncSession, action: str, account_id: UUID, client_id: str, now: datetime) -> None:
    client = await session.get_one(Client, client_id)
    entry = audit.Entry(action=action, actor=account_id, subject=account_id, object_id=client.principal_id)
    await audit.record(session, entry, now=now)
