"""What each event contributes to which figure of which organisation."""

from typing import Final, NamedTuple
from uuid import UUID

from contracts import Event, activities, feedback, learning, members

CONTRIBUTING = (
    members.CompositionCountedV1,
    activities.ActivityState,
    activities.ParticipationState,
    learning.LessonState,
    feedback.CaseState,
)
"""The states that contribute; every published event of each is handled."""

WITHDRAWING: Final[frozenset[type[Event]]] = frozenset(
    {
        activities.ActivityWithdrawnV1,
        activities.ParticipationWithdrawnV1,
        learning.LessonStudyWithdrawnV1,
        feedback.CaseWithdrawnV1,
    }
)
"""What takes a contribution out of the figures; what was counted of a withdrawn organisation has no place in them."""


class Contribution(NamedTuple):
    """What one aggregate, in its present state, adds to the figures of one organisation, and whom it is about.

    Counts of people, and what concerns nobody, are about no person.
    """

    organisation_id: UUID
    measures: dict[str, int]
    person_id: UUID | None = None


def contribution_of(event: Event) -> Contribution | None:
    """Give what the aggregate now contributes; nothing where it belongs to no organisation."""
    match event:
        case members.CompositionCountedV1():
            return Contribution(event.organisation_id, _of_composition(event))
        case activities.ActivityState():
            measures = {"activities.scheduled": 1}
            if isinstance(event, activities.ActivityClosedV1):
                measures["activities.closed"] = 1
            return Contribution(event.organisation_id, measures)
        case activities.ParticipationState():
            return Contribution(event.affiliation_id, _of_participation(event), event.person_id)
        case learning.LessonState():
            if event.affiliation_id is None:
                return None
            return Contribution(event.affiliation_id, _of_study(event), event.person_id)
        case feedback.CaseState():
            measures = {"cases.received": 1, _part("cases.now", event.status): 1}
            return Contribution(event.organisation_id, measures, event.reporter_id)
    raise TypeError(f"{type(event).__name__} contributes to no figure")


def _of_composition(event: members.CompositionCountedV1) -> dict[str, int]:
    measures = {
        "members.all": event.members,
        "members.away": event.away,
        "members.without_smartphone": event.without_smartphone,
    }
    measures |= {_part("members.stage", stage): count for stage, count in event.stages.items()}
    measures |= {_part("members.age", band): count for band, count in event.age_bands.items()}
    return measures


def _of_participation(event: activities.ParticipationState) -> dict[str, int]:
    measures = {}
    if event.registered:
        measures["participation.registered"] = 1
    if event.attended:
        measures["participation.attended"] = 1
        measures[_part("participation.by", event.mode or "in_person")] = 1
    return measures


def _of_study(event: learning.LessonState) -> dict[str, int]:
    said = {None: "nothing_said", True: "understood", False: "need_help"}[event.understood]
    progress = "lessons_completed" if event.completed else "lessons_under_way"
    return {f"learning.{word}": 1 for word in ("lessons_begun", progress, said)}


def _part(breakdown: str, word: str) -> str:
    """Name the part of a breakdown that a word stands for; a full stop in the word would begin another breakdown."""
    return f"{breakdown}.{word.replace('.', '~')}"
