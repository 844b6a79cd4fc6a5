"""Ends the assignments whose last day is over, and lets the proposals lapse that nobody decided about in time."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from china_time import day_of
from database import Database, utc_now
from identity.roles.assignments import end_assignments, record
from identity.roles.tables import RoleAssignment

BATCH = 200
"""How many assignments end in one transaction."""


async def end_what_is_over(database: Database) -> None:
    """Be the periodic job: a role that is over leaves tokens by its days alone, and is told to everybody here."""
    while True:
        async with database.transaction() as session:
            if await end_over(session, now=utc_now()) < BATCH:
                return


async def end_over(session: AsyncSession, *, now: datetime) -> int:
    """Let proposals lapse and end up to `BATCH` assignments that are over; gives how many it ended."""
    lapsed = await session.scalars(
        update(RoleAssignment)
        .where(RoleAssignment.status == "proposed", RoleAssignment.proposed_until <= now)
        .values(status="lapsed")
        .returning(RoleAssignment)
    )
    for each in lapsed.all():
        await record(session, "identity.role.lapsed", each, by=None, now=now)
    over = (
        select(RoleAssignment)
        .where(RoleAssignment.status == "granted", RoleAssignment.valid_until < day_of(now))
        .order_by(RoleAssignment.assignment_id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    assignments = (await session.scalars(over)).all()
    if assignments:
        await end_assignments(session, assignments, by=None, now=now)
    return len(assignments)
