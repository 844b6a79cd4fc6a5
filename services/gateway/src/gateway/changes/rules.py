"""What the events of services change for whom, pure over resulting states; what is on homes the home itself tells."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple
from uuid import UUID

from contracts import Event
from contracts.activities import ActivityClosedV1, ActivityState, ParticipationState
from contracts.feedback import CaseState
from contracts.learning import CoursePublishedV1, LessonState
from contracts.members import MemberAffiliatedV1, OrganisationEstablishedV1, OrganisationState
from gateway.home.items.feedback import ANSWER

SERVICE_OF: Final[Mapping[str, str]] = {
    "home": "gateway",
    "activities": "activities",
    "courses": "learning",
    "cases": "feedback",
    "profile": "members",
}
"""The scopes of changes, each with the service that its things are asked of: `<service>.read` opens it to a client."""


_KINDS: Final[Mapping[str, str]] = {"activities": "activity", "courses": "course", "cases": "case"}


def kind_of(scope: str, *, part: bool) -> str | None:
    """Name the kind of subject that a change of a scope is about; none where its owner gives it by other means."""
    return "lesson" if part and scope == "courses" else _KINDS.get(scope)


class Told(NamedTuple):
    """A thing as it now is for each audience that sees it, and whether it is gone from there.

    An audience that saw it before and is not named sees it no more. Of a `part`, which is one person's own in the
    thing, and of the thing itself the versions count apart.
    """

    scope: str
    subject_id: UUID
    audiences: Mapping[str, bool]
    part: bool = False


def of_activity(event: ActivityState) -> Iterator[Told]:
    """An activity is for the members of the organisation that holds it, until it is closed."""
    closed = isinstance(event, ActivityClosedV1)
    yield Told("activities", event.activity_id, {_members(event.organisation_id): closed})


def of_participation(event: ParticipationState) -> Iterator[Told]:
    """Who registered or took part sees the activity with their own part in it."""
    yield Told("activities", event.activity_id, {_person(event.person_id): False}, part=True)


def of_course(event: CoursePublishedV1) -> Iterator[Told]:
    """A course is for everyone at or below the organisation that publishes it."""
    yield Told("courses", event.course_id, {_members(event.organisation_id): False})


def of_lesson(event: LessonState) -> Iterator[Told]:
    """How far somebody came with a lesson is theirs alone."""
    yield Told("courses", event.lesson_id, {_person(event.person_id): False}, part=True)


def of_case(event: CaseState) -> Iterator[Told]:
    """A case stays with who brought it, and until it is confirmed with who has to answer it."""
    audiences = {ANSWER.whose(event.responsible_id): event.status == "confirmed"}
    if event.reporter_id is not None:
        audiences[_person(event.reporter_id)] = False
    yield Told("cases", event.case_id, audiences)


def of_affiliation(event: MemberAffiliatedV1) -> Iterator[Told]:
    """A member's file says to which branch they belong."""
    yield Told("profile", event.person_id, {_person(event.person_id): False}, part=True)


def of_organisation(event: OrganisationState) -> Iterator[Told]:
    """The name and place of an organisation are shown to all who belong there; a new one has nobody yet."""
    if not isinstance(event, OrganisationEstablishedV1):
        yield Told("profile", event.organisation_id, {_members(event.organisation_id): False})


def _person(person_id: UUID) -> str:
    return f"person:{person_id}"


def _members(organisation_id: UUID) -> str:
    return f"members:{organisation_id}"


TELLING: Final[Mapping[type[Event], Callable[[Any], Iterator[Told]]]] = {
    ActivityState: of_activity,
    ParticipationState: of_participation,
    CoursePublishedV1: of_course,
    LessonState: of_lesson,
    CaseState: of_case,
    MemberAffiliatedV1: of_affiliation,
    OrganisationState: of_organisation,
}
"""What each state changes; every published event of each is handled."""
