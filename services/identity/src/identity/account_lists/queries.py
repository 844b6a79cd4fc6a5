"""Lists of accounts as those see them who give and approve them, with how far each is."""

from collections.abc import Collection
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

import orgtree
from database import known
from identity.account_lists.rules import AccountListUnknown
from identity.account_lists.schemas import AccountListOut, AccountListRowOut
from identity.account_lists.tables import AccountList, AccountListRow
from webapi import Page, PageRequest

_KEPT = AccountListOut.model_fields.keys() - {"status", "opened", "not_opened"}


def visible_lists(remit: Collection[UUID]) -> Select[*tuple[Any, ...]]:
    """Select the lists of organisations within `remit`, each with its rows opened and those done otherwise."""
    done = select(func.count(AccountListRow.outcome)).where(AccountListRow.list_id == AccountList.list_id)
    opened = done.where(AccountListRow.outcome == "opened").scalar_subquery()
    return select(AccountList, opened, done.scalar_subquery()).where(orgtree.within(AccountList.organisation_id, remit))


async def list_lists(
    session: AsyncSession, page: PageRequest, remit: Collection[UUID], *, now: datetime
) -> Page[AccountListOut]:
    """List the lists within a remit, newest first."""
    key, shape = (AccountList.given_at, AccountList.list_id), partial(_shown, now=now)
    return await page.select(session, visible_lists(remit), *key, shape=shape, latest_first=True)


async def one_list(session: AsyncSession, list_id: UUID, remit: Collection[UUID], *, now: datetime) -> AccountListOut:
    """Give a list. Raises `AccountListUnknown`."""
    found = await session.execute(visible_lists(remit).where(AccountList.list_id == list_id))
    return _shown(known(found.one_or_none(), AccountListUnknown), now=now)


async def list_rows(session: AsyncSession, page: PageRequest, list_id: UUID) -> Page[AccountListRowOut]:
    """List the rows of a list, in their order."""
    chosen = select(AccountListRow).where(AccountListRow.list_id == list_id)
    return await page.select(session, chosen, AccountListRow.number, shape=AccountListRowOut.model_validate)


def _shown(row: Row[*tuple[Any, ...]], *, now: datetime) -> AccountListOut:
    given, opened, done = row
    lapsed = given.status == "proposed" and given.expires_at <= now
    columns = {name: getattr(given, name) for name in _KEPT}
    status = "expired" if lapsed else given.status
    return AccountListOut(**columns, status=status, opened=opened, not_opened=done - opened)
