"""Opening accounts, and knowing that they are their persons'."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

import audit
import orgtree
from database import insert_new, raw
from identity.accounts.phones import tell_file_phone
from identity.accounts.tables import Account, Credential, Identifier
from identity.credentials.rules import FIRST_PASSWORD_LIFETIME

OPEN: Final = "identity.account.open"


class AccountExists(Exception):
    """The person has an account already."""


class UsernameTaken(Exception):
    """Another account is known by that username."""


class PhoneOfAnother(Exception):
    """A phone was given for a member by somebody else: who has it would enter the account by a code to it."""


async def open_account(
    session: AsyncSession,
    *,
    person_id: UUID | None,
    username: str,
    password_encoding: str | None,
    organisation_id: UUID,
    by: audit.Actor,
    new_id: Callable[[], UUID],
    now: datetime,
) -> Account:
    """Open an account with a username (normalised) and a first password (its argon2id string) or none.

    Its owner chooses another at the first sign-in by it, within `FIRST_PASSWORD_LIFETIME`. Where a person is brought,
    it opens nothing until it is proven theirs (`prove_account`), and the phone on the member file hears of it.

    `person_id` is brought for a person who is known elsewhere. One who is affiliated somewhere must be affiliated
    within the opener's remit: else an officer could take a stranger's place by opening an account for them. Where the
    affiliation has not arrived yet, the account is opened, and `deactivation.openings` holds it against the affiliation
    when it does. An account by that username which nobody has a password for, as a list opens them, is given this one,
    and is from then on as this opener opened it.
    Raises `orgtree.OutsideRemit`, `AccountExists` and `UsernameTaken`.
    """
    await orgtree.require_within(session, organisation_id, by.remit)
    unchecked = person_id is not None and not await _is_affiliated_within(session, person_id, by.remit)
    within = sorted(by.remit) if unchecked else None
    if person_id is not None and password_encoding is not None:
        waiting = await _without_password(session, person_id, username)
        if waiting is not None:
            await orgtree.require_within(session, waiting.organisation_id, by.remit)
            # From now on it is the opening of whoever knows its password.
            waiting.opened_by, waiting.opened_at, waiting.opened_within = by.actor, now, within
            waiting.organisation_id, waiting.proven_at = organisation_id, None
            await _give_first_password(session, person_id, password_encoding, new_id=new_id, now=now)
            await tell_file_phone(session, person_id, "account_opened", language="zh", message_id=new_id())
            given = by.entry(
                "identity.account.first_password_given", subject=person_id, organisation_id=organisation_id
            )
            await audit.record(session, given, now=now)
            return waiting
    account = await add_account(
        session,
        account_id=person_id or new_id(),
        username=username,
        password_encoding=password_encoding,
        organisation_id=organisation_id,
        opener=by.actor,
        opened_within=within,
        proven_at=now if person_id is None else None,
        new_id=new_id,
        now=now,
    )
    entry = by.entry("identity.account.opened", subject=account.account_id, organisation_id=organisation_id)
    await audit.record(session, entry, now=now)
    return account


async def add_account(
    session: AsyncSession,
    *,
    account_id: UUID,
    username: str,
    password_encoding: str | None,
    organisation_id: UUID,
    opener: UUID | None = None,
    opened_within: list[UUID] | None = None,
    proven_at: datetime | None,
    new_id: Callable[[], UUID],
    now: datetime,
) -> Account:
    """Write an account as `open_account` does, which has checked who may open it; the first start has no opener.

    Without a password it is entered by a code to the phone on the member file. Raises `AccountExists` and
    `UsernameTaken`.
    """
    account = {
        "account_id": account_id,
        "organisation_id": organisation_id,
        "opened_at": now,
        "opened_by": opener,
        "opened_within": opened_within,
        "proven_at": proven_at,
    }
    if not await insert_new(session, Account, account):
        raise AccountExists
    name = {"identifier_id": new_id(), "account_id": account_id, "kind": "username", "plain": username, "added_at": now}
    if not await insert_new(session, Identifier, name):
        raise UsernameTaken
    if password_encoding is not None:
        await _give_first_password(session, account_id, password_encoding, new_id=new_id, now=now)
    await session.flush()
    if proven_at is None:
        await tell_file_phone(session, account_id, "account_opened", language="zh", message_id=new_id())
    return await session.get_one(Account, account_id)


async def _give_first_password(
    session: AsyncSession, account_id: UUID, encoding: str, *, new_id: Callable[[], UUID], now: datetime
) -> None:
    """Give an account its first password. Raises `AccountExists` where somebody else did at this moment."""
    whose = {"credential_id": new_id(), "account_id": account_id, "kind": "password"}
    first = {"secret": encoding, "set_at": now, "first_until": now + FIRST_PASSWORD_LIFETIME}
    if not await insert_new(session, Credential, {**whose, **first}):
        raise AccountExists


async def _without_password(session: AsyncSession, person_id: UUID, username: str) -> Account | None:
    """Lock and give the active account of a person by this username that has no password: nobody was in it yet."""
    named = exists().where(Identifier.account_id == person_id, Identifier.plain == username)
    password = exists().where(Credential.account_id == person_id)
    found = select(Account).where(Account.account_id == person_id, Account.status == "active", named, ~password)
    return await session.scalar(found.with_for_update())


async def prove_account(session: AsyncSession, account_id: UUID, *, at: datetime) -> bool:
    """Let an account open what is its person's, who proved at that time that it is theirs and just set its password.

    False, and nothing is done, for one that was proven before.
    """
    unproven = (Account.account_id == account_id, Account.proven_at.is_(None))
    proven = update(Account).where(*unproven).values(proven_at=at).returning(Account.account_id)
    return await session.scalar(proven) is not None


async def _is_affiliated_within(session: AsyncSession, person_id: UUID, remit: Collection[UUID]) -> bool:
    """Tell whether a person is known to be affiliated within `remit`, or not known at all.

    Affiliations are not written until this transaction ends: one that is written just now is seen here, and one that
    comes later finds the account. Raises `orgtree.OutsideRemit` for an affiliation elsewhere.
    """
    await (await raw(session)).execute("lock table affiliation in share mode")
    affiliated_with = await orgtree.affiliation_of(session, person_id)
    if affiliated_with is not None:
        await orgtree.require_within(session, affiliated_with, remit)
    return affiliated_with is not None
