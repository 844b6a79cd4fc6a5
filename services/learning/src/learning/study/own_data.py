"""What a person gets of their studies, and what is forgotten of them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.learning import UnderstandingReportedV1
from database import utc_now
from learning.study.commands import ask_of, publish_study
from learning.study.tables import LessonStudy
from messaging import origin
from privacy import Told

_STUDIES = """
select study.course_id, study.lesson_id, lesson.title, study.affiliation_id, study.progress, study.started_at,
       study.completed_at, study.understood, study.said_at, study.asked_organisation_id, study.asked_at
from lesson_study study
left join lateral (
    select title from edition_lesson where lesson_id = study.lesson_id order by edition desc limit 1
) lesson on true
where study.person_id = $1 order by study.started_at, study.lesson_id
"""


compose = Told(studies=_STUDIES).compose


async def forget(session: AsyncSession, person_ids: Sequence[UUID]) -> None:
    """End the requests for help of these people, so that nobody is asked to visit them.

    What was studied stays as that of an id that leads to nobody any more: learning holds no name, and counts stay.
    """
    asking = select(LessonStudy).where(LessonStudy.person_id.in_(person_ids), LessonStudy.asked_at.is_not(None))
    for study in (await session.scalars(asking.order_by(LessonStudy.study_id).with_for_update())).all():
        await ask_of(session, study, None, at=utc_now())
        study.understood = None
        await publish_study(session, UnderstandingReportedV1, study, origin())
