"""Confirming, by the number on the page of somebody's sign-in, that they are the person of the account."""

from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

import audit
from database import KeyRing
from identity.accounts.authorization import lock_account
from identity.accounts.commands import OPEN
from identity.accounts.credentials import count_as_phone
from identity.accounts.remit import belongs_to, require_account_within
from identity.accounts.tables import Account
from identity.factors.required import owned_by
from identity.levels import FRESH_FOR_CREDENTIALS, OWNER_AMR, joined
from identity.phone_proofs.numbers import number_of
from identity.roles.independence import Office, offices_of, require_independent
from identity.sessions.tables import BrowserSession
from identity.throttling.rates import count, subject_of
from identity.throttling.rules import Limit

CONFIRM: Final = "identity.account.confirm"
TRIES: Final = Limit(10, timedelta(hours=1))
"""Numbers that are tried for one account."""
TRIES_OF_OFFICER: Final = Limit(60, timedelta(hours=1))
"""Numbers that one officer tries, right ones too, for whomever: more than people come by in an hour."""


class AccountProven(Exception):
    """The account is its person's already, and so is its password: there is nothing to confirm."""


class OwnConfirmation(Exception):
    """Nobody confirms their own account."""


async def confirm_account(
    session: AsyncSession, ring: KeyRing, *, account_id: UUID, number: str, by: audit.Actor, now: datetime
) -> Account | None:
    """Say that whoever reads `number` from the page to the officer is the account's person.

    That is proven for the one session of the last minutes whose number it is, and the account is theirs with the
    password that they choose in it. Where it is theirs, with a password that a phone alone set, that one counts from
    now on as what its owner knows. None for a wrong one: let the transaction commit, so that the try counts. The
    officer is another than the opener, and not of one hand with them. Raises `orgtree.OutsideRemit`,
    `OwnConfirmation`, `AccountProven`, `NotIndependent` and `TooOften`.
    """
    account = await require_account_within(session, account_id, by.remit)
    if account_id == by.actor:
        raise OwnConfirmation
    await lock_account(session, account_id)
    await session.refresh(account)
    if account.proven_at is not None and not (await owned_by(session, account_id, now=now)).phone_alone:
        raise AccountProven
    await _require_another_hand(session, account, by, now)
    for_this = (subject_of(ring, "accounts.confirmation", str(account_id)), TRIES)
    by_this = (subject_of(ring, "accounts.confirmation.officer", str(by.actor)), TRIES_OF_OFFICER)
    await count(session, [for_this, by_this], now=now)
    begun = select(BrowserSession).where(
        BrowserSession.account_id == account_id,
        BrowserSession.ended_at.is_(None),
        BrowserSession.signed_in_at >= now - FRESH_FOR_CREDENTIALS,
    )
    shown = [each for each in await session.scalars(begun) if compare_digest(number_of(ring, each.session_id), number)]
    if not shown or account.status != "active":
        return None
    shown[0].amr, shown[0].signed_in_at = joined(shown[0].amr, OWNER_AMR), now  # one sign-in, as by a second factor
    account.proven_by = by.actor
    await session.flush()
    await count_as_phone(session, account_id, until=None)
    organisation_id = await belongs_to(session, account)
    entry = by.entry("identity.account.confirmed", subject=account_id, organisation_id=organisation_id)
    await audit.record(session, entry, now=now)
    return account


async def _require_another_hand(session: AsyncSession, account: Account, by: audit.Actor, now: datetime) -> None:
    """Demand an office behind which neither the opener stands, nor who alone made the opener's. See decision 36."""
    if account.opened_by is None:
        return
    place, opener = await belongs_to(session, account), account.opened_by
    mine = await offices_of(session, by.actor, over=place, permission=CONFIRM, at=now)
    theirs = await offices_of(session, opener, over=account.organisation_id, permission=OPEN, at=account.opened_at)
    require_independent(mine, theirs or [Office(opener, None, None)], subject_id=account.account_id)
