"""What learning puts on homes: courses to study, and learners to help; pure."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from contracts import learning
from contracts.envelope import MAX_VERSION
from gateway.home.items import Action, Done, Facts, Gone, Item, Kind, item
from gateway.words import Words


class CourseFacts(BaseModel):
    """What is known of a course."""

    title: str
    lesson_ids: list[UUID]


class HelpFacts(BaseModel):
    """What is known of a lesson that somebody needs help with."""

    course_id: UUID


def _titled(facts: Facts) -> Words:
    return Words(f"学习《{facts['title']}》", f'Study "{facts["title"]}"')


STUDY = Kind(
    "course.study",
    "course",
    "read",
    "学习课程",
    "Study a course",
    "members",
    "when done",
    CourseFacts,
    title=_titled,
    actions=(Action("learning_get_course", "GET", "/v1/courses/{subject_id}"),),
)
HELP = Kind(
    "learner.help",
    "lesson",
    "todo",
    "帮助学员",
    "Help a learner",
    "learning.needs.read",
    "when over",
    HelpFacts,
    actions=(
        Action(
            "learning_list_people",
            "GET",
            "/v1/lessons/{subject_id}/help-requests?organisation_id={organisation_id}",
        ),
    ),
)
KINDS = (STUDY, HELP)


def of_course(event: learning.CoursePublishedV1, version: int, _: datetime) -> Iterator[Item]:
    """A course is to be studied by everyone at or below the organisation that publishes it, lesson by lesson."""
    yield item(
        STUDY,
        version,
        whom=event.organisation_id,
        subject_id=event.course_id,
        since=event.published_at,
        parts=event.lesson_ids,
        facts={"title": event.title, "lesson_ids": [str(lesson) for lesson in event.lesson_ids]},
    )


def of_lesson(event: learning.LessonState, version: int, time: datetime) -> Iterator[Item | Done]:
    """A lesson is done when it is completed; a call for help is for the staff of the organisation asked to see.

    Who needs help stays in learning. Events from before that organisation was published were about learners who asked
    their own branch, or, without one, an organisation that the event does not name. What is over is on nobody's home,
    and stands there under its course. What is told anew after a restore may take a call back that was lost.
    """
    yield Done(event.person_id, STUDY.name, event.course_id, event.lesson_id, version, event.completed)
    has_spoken = event.understood is not None or isinstance(event, learning.UnderstandingReportedV1)
    if not has_spoken and version <= MAX_VERSION:
        return
    asked = event.asked_organisation_id or event.affiliation_id
    yield item(
        HELP,
        version,
        whom=asked or event.course_id,
        key=event.study_id,
        subject_id=event.lesson_id,
        since=time,
        is_open=event.understood is False and asked is not None,
        facts={"course_id": str(event.course_id)},
    )


def of_withdrawn_course(event: learning.CourseWithdrawnV1, version: int, time: datetime) -> Iterator[Gone]:
    """There is nothing to study."""
    yield Gone(f"{STUDY.name}:{event.course_id}", version, time)


def of_withdrawn_study(event: learning.LessonStudyWithdrawnV1, version: int, time: datetime) -> Iterator[Done | Gone]:
    """Nobody knows here that this lesson was studied, or that help was asked for."""
    yield Done(event.person_id, STUDY.name, event.course_id, event.lesson_id, version, done=False)
    yield Gone(f"{HELP.name}:{event.study_id}", version, time)


SHOWN = {
    learning.CoursePublishedV1: of_course,
    learning.LessonState: of_lesson,
    learning.CourseWithdrawnV1: of_withdrawn_course,
    learning.LessonStudyWithdrawnV1: of_withdrawn_study,
}
