"""Giving a list of accounts to open, and the second person's word on it."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

import audit
import orgtree
from contracts.identity import AccountListDecidedV1, AccountListGivenV1, AccountListState
from database import known
from identity.account_lists.rules import MOST_WAITING, WAITS, AccountListDecided, AccountListUnknown, TooManyLists
from identity.account_lists.schemas import GiveAccountList, Status
from identity.account_lists.tables import AccountList, AccountListRow
from identity.roles.independence import offices_of, require_independent
from messaging import Publication, append

OPEN = "identity.account.open"
APPROVE = "identity.account.approve"


async def give_list(
    session: AsyncSession, *, wanted: GiveAccountList, by: audit.Actor, new_id: Callable[[], UUID], now: datetime
) -> UUID:
    """Keep a list that waits for a second person, and give its id. Raises `orgtree.OutsideRemit`, `TooManyLists`."""
    await orgtree.require_within(session, wanted.organisation_id, by.remit)
    waiting = select(func.count()).where(
        AccountList.given_by == by.actor, AccountList.status == "proposed", AccountList.expires_at > now
    )
    if (await session.scalar(waiting) or 0) >= MOST_WAITING:
        raise TooManyLists
    given = AccountList(
        list_id=new_id(),
        status="proposed",
        organisation_id=wanted.organisation_id,
        size=len(wanted.rows),
        given_by=by.actor,
        given_at=now,
        expires_at=now + WAITS,
    )
    session.add(given)
    await session.flush()
    rows = [
        {"row_id": new_id(), "list_id": given.list_id, "number": number, **row.model_dump()}
        for number, row in enumerate(wanted.rows, start=1)
    ]
    await session.execute(insert(AccountListRow), rows)
    await _told(session, AccountListGivenV1, given, 1, by=by, now=now)
    return given.list_id


async def decide_about_list(
    session: AsyncSession, *, list_id: UUID, word: Status, by: audit.Actor, now: datetime
) -> None:
    """Say that a list is `approved`, and its accounts are opened from now on, `refused` or `withdrawn`.

    Saying it again changes nothing. Neither its giver nor anybody of one hand with them approves it. Raises
    `AccountListUnknown`, `AccountListDecided` and `roles.independence.NotIndependent`.
    """
    visible = orgtree.within(AccountList.organisation_id, by.remit)
    found = select(AccountList).where(AccountList.list_id == list_id, visible).with_for_update()
    given = known(await session.scalar(found), AccountListUnknown)
    if given.status == word and given.decided_by == by.actor:
        return
    if given.status != "proposed" or given.expires_at <= now:
        raise AccountListDecided
    if word == "approved":
        over = given.organisation_id
        givers = await offices_of(session, given.given_by, over=over, permission=OPEN, at=given.given_at)
        require_independent(givers, await offices_of(session, by.actor, over=over, permission=APPROVE, at=now))
        await session.execute(update(AccountListRow).where(AccountListRow.list_id == list_id).values(due_at=now))
    given.status, given.decided_by, given.decided_at = word, by.actor, now
    await session.flush()
    await _told(session, AccountListDecidedV1, given, 2, by=by, now=now)


async def _told(
    session: AsyncSession,
    kind: type[AccountListState],
    given: AccountList,
    version: int,
    *,
    by: audit.Actor,
    now: datetime,
) -> None:
    """Publish how the list stands now, and record who said so."""
    state = kind(**{name: getattr(given, name) for name in kind.model_fields})
    await append(session, [Publication(state, version, by.origin)])
    word = "given" if kind is AccountListGivenV1 else given.status
    entry = by.entry(f"identity.account_list.{word}", object_id=given.list_id, organisation_id=given.organisation_id)
    await audit.record(session, entry, now=now)
