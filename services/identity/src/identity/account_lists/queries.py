"""Lists of accounts as those see them who give and approve them, with how far each is."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

import orgtree
from database import known, narrowed
from identity.account_lists.rules import AccountListUnknown
from identity.account_lists.schemas import AccountListOut, AccountListRowOut, Status
from identity.account_lists.tables import AccountList, AccountListRow
from webapi import Page, PageRequest

_KEPT = AccountListOut.model_fields.keys() - {"status", "opened", "not_opened"}


def visible_lists(remit: Collection[UUID], now: datetime) -> Select[*tuple[Any, ...]]:
    """Select the lists of organisations within `remit`, each with its status, its rows opened and all that are done."""
    done = select(func.count(AccountListRow.outcome)).where(AccountListRow.list_id == AccountList.list_id)
    opened = done.where(AccountListRow.outcome == "opened").scalar_subquery()
    selected = select(AccountList, _status(now), opened, done.scalar_subquery())
    return selected.where(orgtree.within(AccountList.organisation_id, remit))


async def list_lists(
    session: AsyncSession,
    page: PageRequest,
    remit: Collection[UUID],
    list_ids: list[UUID] | None,
    status: Status | None,
    *,
    now: datetime,
) -> Page[AccountListOut]:
    """List the lists within a remit, newest first, all or those of these ids and that stand as `status` says."""
    chosen = narrowed(visible_lists(remit, now), {AccountList.list_id: list_ids})
    key = (AccountList.given_at, AccountList.list_id)
    if status is not None:
        chosen = chosen.where(_status(now) == status)
    return await page.select(session, chosen, *key, shape=_shown, latest_first=True)


async def one_list(session: AsyncSession, list_id: UUID, remit: Collection[UUID], *, now: datetime) -> AccountListOut:
    """Give a list. Raises `AccountListUnknown`."""
    found = await session.execute(visible_lists(remit, now).where(AccountList.list_id == list_id))
    return _shown(known(found.one_or_none(), AccountListUnknown))


async def list_rows(session: AsyncSession, page: PageRequest, list_id: UUID) -> Page[AccountListRowOut]:
    """List the rows of a list, in their order."""
    chosen = select(AccountListRow).where(AccountListRow.list_id == list_id)
    return await page.select(session, chosen, AccountListRow.number, shape=AccountListRowOut.model_validate)


def _status(now: datetime) -> ColumnElement[str]:
    lapsed = and_(AccountList.status == "proposed", AccountList.expires_at <= now)
    return case((lapsed, "expired"), else_=AccountList.status)


def _shown(row: Row[*tuple[Any, ...]]) -> AccountListOut:
    given, status, opened, done = row
    columns = {name: getattr(given, name) for name in _KEPT}
    return AccountListOut(**columns, status=status, opened=opened, not_opened=done - opened)
