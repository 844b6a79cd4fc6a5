"""Opening accounts."""

from collections.abc import Callable, Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

import orgtree
from identity.accounts.tables import Account, Credential, Identifier


class AccountExists(Exception):
    """The person has an account already."""


class UsernameTaken(Exception):
    """Another account is known by that username."""


async def open_account(
    session: AsyncSession,
    *,
    person_id: UUID,
    username: str,
    password_encoding: str,
    organisation_id: UUID,
    opener: UUID | None,
    scopes: Collection[UUID] | None,
    new_id: Callable[[], UUID],
    now: datetime,
) -> Account:
    """Open an account with a username (normalised) and a first password (its argon2id string).

    `scopes` are the organisations within which the opener may open accounts; None is the first start. A person who is
    affiliated somewhere must be affiliated within them: else an officer could take a stranger's place by opening an
    account for them. Raises `orgtree.OutsideScope`, `AccountExists` and `UsernameTaken`.
    """
    if scopes is not None:
        await orgtree.require_within(session, organisation_id, scopes)
        affiliated_with = await orgtree.affiliation_of(session, person_id)
        if affiliated_with is not None:
            await orgtree.require_within(session, affiliated_with, scopes)
    opened: Account | None = await session.scalar(
        insert(Account)
        .values(account_id=person_id, organisation_id=organisation_id, opened_at=now, opened_by=opener)
        .on_conflict_do_nothing()
        .returning(Account)
    )
    if opened is None:
        raise AccountExists
    named = await session.scalar(
        insert(Identifier)
        .values(identifier_id=new_id(), account_id=person_id, kind="username", plain=username, added_at=now)
        .on_conflict_do_nothing()
        .returning(Identifier.identifier_id)
    )
    if named is None:
        raise UsernameTaken
    session.add(
        Credential(credential_id=new_id(), account_id=person_id, kind="password", secret=password_encoding, set_at=now)
    )
    await session.flush()
    return opened


async def any_account(session: AsyncSession) -> bool:
    """Say whether anybody has an account."""
    return await session.scalar(select(Account.account_id).limit(1)) is not None
