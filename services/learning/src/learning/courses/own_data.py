"""What a person gets of the courses they began, and of those they published."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from database import raw
from privacy import Asked

_ENROLMENTS = """
select enrolled.course_id, enrolled.edition, published.title, enrolled.started_at, enrolled.finished_at
from enrolment enrolled join course_edition published using (course_id, edition)
where enrolled.person_id = $1 order by enrolled.started_at, enrolled.course_id
"""
_PUBLISHED = """
select course_id, edition, title, published_at from course_edition
where published_by = $1 order by published_at, course_id
"""


async def compose(asked: Asked) -> dict[str, Any]:
    """Give the courses that a person began, and those that they published in office."""
    connection = await raw(asked.session)
    return {
        "enrolments": [dict(row) for row in await connection.fetch(_ENROLMENTS, asked.person_id)],
        "published_in_office": [dict(row) for row in await connection.fetch(_PUBLISHED, asked.person_id)],
    }


async def forget(_: AsyncSession, __: Sequence[UUID]) -> None:
    """Do nothing: learning holds no name, and who began or published a course stays as an id that leads to nobody."""
