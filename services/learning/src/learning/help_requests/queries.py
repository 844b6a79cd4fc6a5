"""Reads of requests for help: counts up the tree, protected; and who asked, for those who help them."""

import asyncio
from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

import orgtree
from learning.courses.tables import EditionLesson
from learning.help_requests.rules import Counts, Level, hidden_along, summed
from learning.help_requests.schemas import HelpNeeded, PersonInNeed
from learning.study.rules import MEASURE_PREFIX, lesson_of, measure_of
from learning.study.tables import LessonStudy
from suppression import NOBODY, Group
from webapi import Page, PageRequest

FACTS = f"""
select asked_organisation_id, '{MEASURE_PREFIX}' || lesson_id, person_mark(person_id), 1
from lesson_study where asked_at is not null
"""  # noqa: S608 - a constant of the rules
"""Who asks each organisation itself for help with a lesson: what the kept counts must come to."""


class NotOwnStaff(Exception):
    """Who asked is shown to the staff of the very organisation that was asked, not to its superiors."""


async def list_needs(
    session: AsyncSession, organisation_id: UUID, *, remit: Collection[UUID], after: tuple[UUID] | None, limit: int
) -> list[HelpNeeded]:
    """List the lessons with which help is needed in an organisation and below it, by id, from the one after `after`.

    Raises `orgtree.OutsideRemit`.
    """
    await orgtree.require_within(session, organisation_id, remit)
    levels = await _levels(session, await orgtree.ancestors_of(session, organisation_id))
    # In a thread: what is hidden takes time that grows faster than the number of lessons and of places.
    counts, hidden = levels[-1].counts, await asyncio.to_thread(hidden_along, levels)
    here = await _asked_here(session, organisation_id) if organisation_id in remit else None
    known = counts.keys() | hidden | (here or {}).keys()
    lessons = sorted(lesson for lesson in known if after is None or (lesson,) > after)
    listed = lessons[:limit]
    described = (
        select(EditionLesson.lesson_id, EditionLesson.course_id, EditionLesson.title)
        .ext(distinct_on(EditionLesson.lesson_id))
        .where(EditionLesson.lesson_id.in_(listed))
        .order_by(EditionLesson.lesson_id, EditionLesson.edition.desc())
    )
    return [
        HelpNeeded(
            lesson_id=row.lesson_id,
            course_id=row.course_id,
            title=row.title,
            people=None if row.lesson_id in hidden else counts.get(row.lesson_id, NOBODY).value,
            people_here=here.get(row.lesson_id, 0) if here is not None else None,
        )
        for row in await session.execute(described)
    ]


async def list_people(
    session: AsyncSession,
    page: PageRequest,
    lesson_id: UUID,
    organisation_id: UUID,
    *,
    remit: Collection[UUID],
) -> Page[PersonInNeed]:
    """List who asked an organisation for help with a lesson, those who wait longest first.

    Raises `orgtree.OutsideRemit`, and `NotOwnStaff` where the caller's role is on a superior.
    """
    await orgtree.require_within(session, organisation_id, remit)
    if organisation_id not in remit:
        raise NotOwnStaff
    wanted = select(LessonStudy.person_id, LessonStudy.asked_at).where(
        LessonStudy.asked_organisation_id == organisation_id,
        LessonStudy.lesson_id == lesson_id,
        LessonStudy.asked_at.is_not(None),
    )
    key = (LessonStudy.asked_at, LessonStudy.person_id)
    return await page.select(session, wanted, *key, shape=PersonInNeed.model_validate)


async def _levels(session: AsyncSession, path: tuple[UUID, ...]) -> list[Level]:
    """Give the counts of each organisation of the path and of its parts, from the root down."""
    place, above, kept, behind = (
        orgtree.organisation,
        orgtree.organisation.alias(),
        orgtree.rollup,
        orgtree.rollup_people,
    )
    counted = (
        select(place.c.organisation_id, place.c.parent_id, kept.c.measure, kept.c.value, behind.c.people)
        .join(kept, kept.c.organisation_id == place.c.organisation_id)
        .outerjoin(behind, and_(behind.c.organisation_id == kept.c.organisation_id, behind.c.measure == kept.c.measure))
        .where(kept.c.measure.startswith(MEASURE_PREFIX, autoescape=True), kept.c.value > 0)
    )
    near = counted.where(or_(place.c.organisation_id.in_(path), place.c.parent_id.in_(path)))
    grandchildren = counted.join(above, above.c.organisation_id == place.c.parent_id).where(above.c.parent_id.in_(path))
    counts: dict[UUID, dict[UUID, Group]] = defaultdict(dict)
    children: dict[UUID | None, set[UUID]] = defaultdict(set)
    for query in (near, grandchildren):
        for row in await session.execute(query):
            counts[row.organisation_id][lesson_of(row.measure)] = Group(row.value, frozenset(row.people or ()))
            children[row.parent_id].add(row.organisation_id)
    below = {parent: summed([counts[child] for child in those]) for parent, those in children.items()}
    return [
        Level.of(
            place_id,
            counts[place_id],
            await _asked_itself(session, place_id, counts[place_id], below.get(place_id, {})),
            {child: counts[child] for child in children[place_id]},
            {child: below.get(child, {}) for child in children[place_id]},
        )
        for place_id in path
    ]


async def _asked_itself(
    session: AsyncSession, organisation_id: UUID, counts: Counts, below: Counts
) -> dict[UUID, Group]:
    """Give what the children of an organisation do not account for, and who stands behind it."""
    people = await orgtree.own_people(session, organisation_id)
    left = {lesson: group.value - below.get(lesson, NOBODY).value for lesson, group in counts.items()}
    return {
        lesson: Group(count, people.get(measure_of(lesson), frozenset())) for lesson, count in left.items() if count > 0
    }


async def _asked_here(session: AsyncSession, organisation_id: UUID) -> dict[UUID, int]:
    open_requests = (
        select(LessonStudy.lesson_id, func.count().label("people"))
        .where(LessonStudy.asked_organisation_id == organisation_id, LessonStudy.asked_at.is_not(None))
        .group_by(LessonStudy.lesson_id)
    )
    return {row.lesson_id: row.people for row in await session.execute(open_requests)}
