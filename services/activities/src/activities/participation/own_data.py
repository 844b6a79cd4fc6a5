"""What a person gets of their part in activities."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from database import raw
from privacy import Asked

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


async def compose(asked: Asked) -> dict[str, Any]:
    """Give the activities a person took part in or registered for, and who reported it."""
    connection = await raw(asked.session)
    return {
        "participations": [dict(row) for row in await connection.fetch(_PARTICIPATIONS, asked.person_id)],
        "attendance_reports": [dict(row) for row in await connection.fetch(_REPORTS, asked.person_id)],
    }


async def forget(_: AsyncSession, __: Sequence[UUID]) -> None:
    """Do nothing: no name and no word of a member is held here.

    Who took part stays as an id that leads to nobody any more, and what was counted stays.
    """
