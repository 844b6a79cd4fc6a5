"""Whether an account lies within somebody's scope: where its person belongs, was opened, and holds roles."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

import orgtree
from identity.accounts.tables import Account
from identity.roles.queries import not_over
from identity.roles.tables import RoleAssignment


class RoleBeyondScope(Exception):
    """The person holds a role where the officer has no say."""


async def require_account_within(session: AsyncSession, account_id: UUID, scopes: Collection[UUID]) -> Account:
    """Give the account of a person who belongs within `scopes`, or of one who belongs nowhere and was opened there.

    Raises `orgtree.OutsideScope`, also when there is no such account.
    """
    account = await session.scalar(select(Account).where(Account.account_id == account_id))
    if account is None:
        raise orgtree.OutsideScope(account_id)
    await orgtree.require_within(session, await belongs_to(session, account), scopes)
    return account


async def belongs_to(session: AsyncSession, account: Account) -> UUID:
    """Give the organisation that an account's person is affiliated with, else the one that opened it."""
    return await orgtree.affiliation_of(session, account.account_id) or account.organisation_id


async def require_say_over_roles(
    session: AsyncSession, person_id: UUID, scopes: Collection[UUID], *, today: date
) -> None:
    """Raise `RoleBeyondScope` when the person holds a role outside `scopes`, or will: a county rules no province."""
    held = (RoleAssignment.person_id == person_id, not_over(today))
    beyond = select(RoleAssignment.assignment_id).where(*held, ~orgtree.within(RoleAssignment.organisation_id, scopes))
    if await session.scalar(beyond.limit(1)) is not None:
        raise RoleBeyondScope
