"""The worker's part: opens the accounts of approved lists one by one, each once, whenever it is stopped."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import asyncpg
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

import audit
import orgtree
from background import Due
from database import Database, new_id, utc_now
from identity.account_lists.schemas import Outcome
from identity.account_lists.tables import AccountList, AccountListRow
from identity.accounts.commands import AccountExists, UsernameTaken, open_account

_DUE: Final = Due(
    "account_list_row",
    key="row_id",
    at="due_at",
    waiting="outcome is null",
    claim_for=timedelta(minutes=1),
    backoff=lambda attempts: min(timedelta(seconds=2 ** min(attempts, 10)), timedelta(minutes=10)),
    at_once=20,
)
_NOT_OPENED: Final[Mapping[type[Exception], Outcome]] = {
    AccountExists: "account_exists",
    UsernameTaken: "username_taken",
    orgtree.OutsideRemit: "outside_scope",
}


async def open_what_is_approved(database: Database) -> datetime | None:
    """Be the periodic job; gives when the next row is due."""
    return await _DUE.work_off(database, partial(_open, database))


async def _open(database: Database, row: asyncpg.Record) -> None:
    """Open the account of a row, or keep why it cannot be; outcome and account stand together or not at all."""
    now = utc_now()
    try:
        async with database.transaction() as session:
            if await _done(session, row, "opened", now=now):
                await _open_account(session, row, now=now)
    except tuple(_NOT_OPENED) as error:
        async with database.transaction() as session:
            await _done(session, row, _NOT_OPENED[type(error)], now=now)


async def _done(session: AsyncSession, row: asyncpg.Record, outcome: Outcome, *, now: datetime) -> bool:
    """Keep the outcome of a row, unless it has one; whoever comes later waits for this transaction."""
    open_row = (AccountListRow.row_id == row["row_id"], AccountListRow.outcome.is_(None))
    kept = update(AccountListRow).where(*open_row).values(outcome=outcome, done_at=now)
    return await session.scalar(kept.returning(AccountListRow.row_id)) is not None


async def _open_account(session: AsyncSession, row: asyncpg.Record, *, now: datetime) -> None:
    """Open it by the word of whoever gave the list, within the organisation that the list is of."""
    whose = select(AccountList.given_by, AccountList.organisation_id).where(AccountList.list_id == row["list_id"])
    giver, within = (await session.execute(whose)).one()
    await open_account(
        session,
        person_id=row["person_id"],
        username=row["username"],
        password_encoding=None,
        organisation_id=row["organisation_id"],
        by=audit.Actor(giver, remit=[within]),
        new_id=new_id,
        now=now,
    )
