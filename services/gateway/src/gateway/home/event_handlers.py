"""Keeps the home read model: one upsert a batch, never back to an earlier version, nothing of who is erased."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from contracts import Event, activities, feedback, learning
from database import columns, raw
from gateway.erasing import write_about_people
from gateway.home.rules import Item, item_of_activity, item_of_course, item_of_help, items_of_case
from messaging import Handler, Received

_KEEP_ITEMS = """
insert into home_item as kept
    (key, version, audience, kind, subject_id, organisation_id, since, due_at, expires_at, open, facts)
select key, version, audience, kind, subject_id, organisation_id, since, due_at, expires_at, open, facts::jsonb
from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::timestamptz[],
            $8::timestamptz[], $9::timestamptz[], $10::boolean[], $11::text[])
    as new(key, version, audience, kind, subject_id, organisation_id, since, due_at, expires_at, open, facts)
where not exists (select from erased_person gone where new.audience = 'person:' || gone.person_id)
order by key
on conflict (key) do update set
    version = excluded.version, audience = excluded.audience, kind = excluded.kind,
    subject_id = excluded.subject_id, organisation_id = excluded.organisation_id, since = excluded.since,
    due_at = excluded.due_at, expires_at = excluded.expires_at, open = excluded.open, facts = excluded.facts
where kept.version < excluded.version
"""

_KEEP_PARTICIPATIONS = """
insert into home_participation as kept (person_id, activity_id, version, registered, attended)
select * from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::boolean[], $5::boolean[])
    as new(person_id, activity_id, version, registered, attended)
where not exists (select from erased_person gone where gone.person_id = new.person_id)
on conflict (person_id, activity_id) do update set
    version = excluded.version, registered = excluded.registered, attended = excluded.attended
where kept.version < excluded.version
"""

_KEEP_STUDIES = """
insert into home_study as kept (person_id, course_id, lesson_id, version, completed)
select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::boolean[])
    as new(person_id, course_id, lesson_id, version, completed)
where not exists (select from erased_person gone where gone.person_id = new.person_id)
on conflict (person_id, course_id, lesson_id) do update set
    version = excluded.version, completed = excluded.completed
where kept.version < excluded.version
"""


async def project_activities(session: AsyncSession, batch: Sequence[Received[activities.ActivityState]]) -> None:
    """Show an activity to the members of its organisation until it is over."""
    await _keep_items(session, (item_of_activity(r.event, r.version, r.time) for r in batch))


async def project_courses(session: AsyncSession, batch: Sequence[Received[learning.CoursePublishedV1]]) -> None:
    """Show a course to everyone it is published for."""
    await _keep_items(session, (item_of_course(r.event, r.version) for r in batch))


async def project_cases(session: AsyncSession, batch: Sequence[Received[feedback.CaseState]]) -> None:
    """Show a case to those who must answer it and to the person who brought it."""
    await _keep_items(session, (item for r in batch for item in items_of_case(r.event, r.version)))


async def project_participations(
    session: AsyncSession, batch: Sequence[Received[activities.ParticipationState]]
) -> None:
    """Remember who registered and who attended, so that their home no longer asks."""
    latest = _latest_by_aggregate(batch)
    rows = [(r.event.person_id, r.event.activity_id, r.version, r.event.registered, r.event.attended) for r in latest]
    await _keep(session, _KEEP_PARTICIPATIONS, rows)


async def project_studies(session: AsyncSession, batch: Sequence[Received[learning.LessonState]]) -> None:
    """Remember what was studied, and show a call for help to those who were asked."""
    latest = _latest_by_aggregate(batch)
    rows = [(r.event.person_id, r.event.course_id, r.event.lesson_id, r.version, r.event.completed) for r in latest]
    await _keep(session, _KEEP_STUDIES, rows)
    await _keep_items(
        session,
        (
            item_of_help(r.event, r.version, r.time)
            for r in latest
            if r.event.understood is not None or isinstance(r.event, learning.UnderstandingReportedV1)
        ),
    )


async def _keep_items(session: AsyncSession, items: Iterable[Item]) -> None:
    latest: dict[str, Item] = {}
    for item in items:
        if item.key not in latest or latest[item.key].version < item.version:
            latest[item.key] = item
    rows = [(*item[:-1], orjson.dumps(item.facts).decode()) for item in latest.values()]
    if rows:
        await _keep(session, _KEEP_ITEMS, rows)


async def _keep(session: AsyncSession, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    connection = await raw(session)
    await write_about_people(connection)
    await connection.execute(statement, *columns(rows))


def _latest_by_aggregate(batch: Sequence[Received[Any]]) -> list[Received[Any]]:
    latest: dict[Any, Received[Any]] = {}
    for received in batch:
        known = latest.get(received.event.aggregate_id)
        if known is None or known.version < received.version:
            latest[received.event.aggregate_id] = received
    return list(latest.values())


HANDLERS: Mapping[type[Event], Handler] = {
    activities.ActivityScheduledV1: project_activities,
    activities.ActivityClosedV1: project_activities,
    activities.ParticipantRegisteredV1: project_participations,
    activities.AttendanceRecordedV1: project_participations,
    learning.CoursePublishedV1: project_courses,
    learning.LessonProgressedV1: project_studies,
    learning.UnderstandingReportedV1: project_studies,
    feedback.CaseOpenedV1: project_cases,
    feedback.CaseAnsweredV1: project_cases,
    feedback.CaseConfirmedV1: project_cases,
}
