"""What the events of services change for whom, pure over resulting states; what is on homes the home itself tells."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple
from uuid import UUID

from contracts import Event
from contracts.activities import (
    ActivityClosedV1,
    ActivityState,
    ActivityWithdrawnV1,
    ParticipationState,
    ParticipationWithdrawnV1,
)
from contracts.feedback import CaseState, CaseWithdrawnV1
from contracts.learning import CoursePublishedV1, CourseWithdrawnV1, LessonState, LessonStudyWithdrawnV1
from contracts.members import (
    AffiliationWithdrawnV1,
    MemberAffiliatedV1,
    OrganisationEstablishedV1,
    OrganisationState,
    OrganisationWithdrawnV1,
)
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


def of_withdrawn(scope: str) -> Callable[[Any], Iterator[Told]]:
    """A thing that there is no more is gone to everyone who saw it."""

    def telling(event: Event) -> Iterator[Told]:
        yield Told(scope, event.aggregate_id, {})

    return telling


def of_withdrawn_part(scope: str, subject: str) -> Callable[[Any], Iterator[Told]]:
    """A part that somebody has no more is gone to them; `subject` is the field that says of what it was."""

    def telling(event: Any) -> Iterator[Told]:
        yield Told(scope, getattr(event, subject), {_person(event.person_id): True}, part=True)

    return telling


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
    ActivityWithdrawnV1: of_withdrawn("activities"),
    ParticipationWithdrawnV1: of_withdrawn_part("activities", "activity_id"),
    CourseWithdrawnV1: of_withdrawn("courses"),
    LessonStudyWithdrawnV1: of_withdrawn_part("courses", "lesson_id"),
    CaseWithdrawnV1: of_withdrawn("cases"),
    AffiliationWithdrawnV1: of_withdrawn_part("profile", "person_id"),
    OrganisationWithdrawnV1: of_withdrawn("profile"),
}
"""What each state changes; every published event of each is handled."""
