"""What each event puts on whose home, as pure data."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from contracts import activities, feedback, learning

_OF_THE_REPORTER = {"open": "case.follow", "answered": "case.confirm"}
"""What a case in this status is to the person who brought it; in any other, known or not, it is on nobody's home."""


class Item(NamedTuple):
    """One thing to do or to read, for everyone who is in its audience.

    `audience` is `person:<id>`, `members:<organisation>` (everyone affiliated there or below) or
    `staff:<permission>:<organisation>` (whoever holds that permission on that very organisation). It leaves the home
    when it is no longer open or has expired; being overdue keeps it there.
    """

    key: str
    version: int
    audience: str
    kind: str
    subject_id: UUID
    organisation_id: UUID
    since: datetime
    due_at: datetime | None
    expires_at: datetime | None
    open: bool
    facts: dict[str, Any]


def item_of_activity(event: activities.ActivityState, version: int, time: datetime) -> Item:
    """An activity is to be attended by the members of the organisation that holds it."""
    return Item(
        key=f"activity.attend:{event.activity_id}",
        version=version,
        audience=f"members:{event.organisation_id}",
        kind="activity.attend",
        subject_id=event.activity_id,
        organisation_id=event.organisation_id,
        since=time,
        due_at=event.starts_at,
        expires_at=event.ends_at,
        open=not isinstance(event, activities.ActivityClosedV1),
        facts={"activity_kind": event.kind, "starts_at": event.starts_at.isoformat()},
    )


def item_of_course(event: learning.CoursePublishedV1, version: int) -> Item:
    """A course is to be studied by everyone at or below the organisation that publishes it."""
    return Item(
        key=f"course.study:{event.course_id}",
        version=version,
        audience=f"members:{event.organisation_id}",
        kind="course.study",
        subject_id=event.course_id,
        organisation_id=event.organisation_id,
        since=event.published_at,
        due_at=None,
        expires_at=None,
        open=True,
        facts={"title": event.title, "lesson_ids": [str(lesson) for lesson in event.lesson_ids]},
    )


def item_of_help(event: learning.LessonState, version: int, time: datetime) -> Item:
    """Someone who needs help is for the staff of the organisation they asked to see; who it is stays in learning.

    Events from before that organisation was published were about learners who asked their own branch, or, without one,
    an organisation that the event does not name. What is over is on nobody's home, and stands there under its course.
    """
    asked = event.asked_organisation_id or event.affiliation_id
    return Item(
        key=f"learner.help:{event.study_id}",
        version=version,
        audience=f"staff:learning.needs.read:{asked}",
        kind="learner.help",
        subject_id=event.lesson_id,
        organisation_id=asked or event.course_id,
        since=time,
        due_at=None,
        expires_at=None,
        open=event.understood is False and asked is not None,
        facts={"course_id": str(event.course_id)},
    )


def items_of_case(event: feedback.CaseState, version: int) -> list[Item]:
    """A case is to be answered by the responsible organisation, then confirmed by the person who brought it."""
    facts = {"category": event.category, "status": event.status}
    answering = Item(
        key=f"case.answer:{event.case_id}",
        version=version,
        audience=f"staff:feedback.case.answer:{event.responsible_id}",
        kind="case.answer",
        subject_id=event.case_id,
        organisation_id=event.organisation_id,
        since=event.opened_at,
        due_at=event.due_at,
        expires_at=None,
        open=event.status == "open",
        facts=facts,
    )
    if event.reporter_id is None:
        return [answering]
    confirming = answering._replace(
        key=f"case.confirm:{event.case_id}",
        audience=f"person:{event.reporter_id}",
        kind=_OF_THE_REPORTER.get(event.status, "case.follow"),
        since=event.answered_at or event.opened_at,
        due_at=None if event.status == "answered" else event.due_at,
        open=event.status in _OF_THE_REPORTER,
    )
    return [answering, confirming]
