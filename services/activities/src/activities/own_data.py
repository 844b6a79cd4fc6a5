"""What activities holds about a person, and what it forgets of them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

import orgtree
from database import raw

_PARTICIPATIONS = """
select part.participation_id, part.activity_id, held.title, held.kind, held.organisation_id, held.starts_at,
       held.ends_at, part.affiliation_id, part.registered_at, part.attended_at, part.mode, part.provenance
from participation part join activity held using (activity_id)
where part.person_id = $1 order by held.starts_at, part.activity_id
"""
_REPORTS = """
select part.activity_id, report.source, report.mode, report.attended_at, report.reported_at,
       report.reported_by = $1 as reported_by_oneself
from attendance_report report join participation part using (participation_id)
where part.person_id = $1 order by report.reported_at, part.activity_id
"""
_IN_OFFICE = """
select activity_id, title, organisation_id, scheduled_by = $1 as scheduled, scheduled_at,
       coalesce(closed_by = $1, false) as closed, closed_at
from activity where scheduled_by = $1 or closed_by = $1 order by scheduled_at, activity_id
"""


async def compose(session: AsyncSession, person_id: UUID) -> dict[str, Any]:
    """Give the activities a person took part in or registered for, and those they set down in office."""
    connection = await raw(session)
    return {
        "branch_id": await orgtree.affiliation_of(session, person_id),
        "participations": [dict(row) for row in await connection.fetch(_PARTICIPATIONS, person_id)],
        "attendance_reports": [dict(row) for row in await connection.fetch(_REPORTS, person_id)],
        "set_down_in_office": [dict(row) for row in await connection.fetch(_IN_OFFICE, person_id)],
    }


async def forget(_: AsyncSession, __: Sequence[UUID]) -> None:
    """Do nothing: activities holds no name and no word of a member.

    Who took part stays as an id that leads to nobody any more, and what was counted stays.
    """
