"""Whether an account lies within somebody's remit: where its person belongs, or was opened."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

import orgtree
from identity.accounts.tables import Account


async def require_account_within(session: AsyncSession, account_id: UUID, remit: Collection[UUID]) -> Account:
    """Give the account of a person who belongs within `remit`, or of one who belongs nowhere and was opened there.

    Raises `orgtree.OutsideRemit`, also when there is no such account.
    """
    account = await session.scalar(select(Account).where(Account.account_id == account_id))
    if account is None:
        raise orgtree.OutsideRemit(account_id)
    await orgtree.require_within(session, await belongs_to(session, account), remit)
    return account


async def belongs_to(session: AsyncSession, account: Account) -> UUID:
    """Give the organisation that an account's person is affiliated with, else the one that opened it."""
    return await orgtree.affiliation_of(session, account.account_id) or account.organisation_id
