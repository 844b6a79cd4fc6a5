"""What activities puts on homes: meetings to take part in; pure."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from pydantic import BaseModel

from contracts import activities
from gateway.home.items import Action, Done, Facts, Gone, Item, Kind, item
from gateway.words import Words

MEETINGS: Final = {
    "branch_meeting": Words("支部党员大会", "branch meeting"),
    "committee_meeting": Words("支部委员会", "committee meeting"),
    "group_meeting": Words("党小组会", "group meeting"),
    "party_class": Words("党课", "party class"),
    "theme_day": Words("主题党日", "theme day"),
    "organisational_life_meeting": Words("组织生活会", "organisational-life meeting"),
    "democratic_review": Words("民主评议党员", "democratic review"),
}
_MEETING: Final = Words("活动", "activity")


class ActivityFacts(BaseModel):
    """What is known of a meeting."""

    activity_kind: str
    starts_at: datetime


def _titled(facts: Facts) -> Words:
    meeting = MEETINGS.get(str(facts.get("activity_kind")), _MEETING)
    return Words(f"参加{meeting.zh}", f"Take part: {meeting.en}")


def _has_begun(facts: Facts, now: datetime) -> bool:
    return datetime.fromisoformat(facts["starts_at"]) <= now


def _is_to_come(facts: Facts, now: datetime) -> bool:
    return not _has_begun(facts, now)


def _attend(mode: str) -> Action:
    """Say how one takes part: only the person knows it, so each way is an act of its own."""
    path = "/v1/activities/{subject_id}/attendances"
    return Action("activities_report_attendance", "POST", path, body={"mode": mode}, when=_has_begun)


ATTEND = Kind(
    "activity.attend",
    "activity",
    "todo",
    "参加活动",
    "Take part in an activity",
    "members",
    "when done",
    ActivityFacts,
    title=_titled,
    actions=(
        _attend("in_person"),
        _attend("remote"),
        Action("activities_register", "POST", "/v1/activities/{subject_id}/registrations", when=_is_to_come),
    ),
)
KINDS = (ATTEND,)


def of_activity(event: activities.ActivityState, version: int, time: datetime) -> Iterator[Item]:
    """An activity is to be attended by the members of the organisation that holds it."""
    yield item(
        ATTEND,
        version,
        whom=event.organisation_id,
        subject_id=event.activity_id,
        since=time,
        due_at=event.starts_at,
        expires_at=event.ends_at,
        is_open=not isinstance(event, activities.ActivityClosedV1),
        parts=(event.activity_id,),
        facts={"activity_kind": event.kind, "starts_at": event.starts_at.isoformat()},
    )


def of_participation(event: activities.ParticipationState, version: int, _: datetime) -> Iterator[Done]:
    """Who attended is no longer asked to; who only registered still is."""
    yield Done(event.person_id, ATTEND.name, event.activity_id, event.activity_id, version, event.attended)


def of_withdrawn_activity(event: activities.ActivityWithdrawnV1, version: int, time: datetime) -> Iterator[Gone]:
    """There is nothing to attend."""
    yield Gone(f"{ATTEND.name}:{event.activity_id}", version, time)


def of_withdrawn_part(event: activities.ParticipationWithdrawnV1, version: int, _: datetime) -> Iterator[Done]:
    """Nobody knows here that this person took part."""
    yield Done(event.person_id, ATTEND.name, event.activity_id, event.activity_id, version, done=False)


SHOWN = {
    activities.ActivityState: of_activity,
    activities.ParticipationState: of_participation,
    activities.ActivityWithdrawnV1: of_withdrawn_activity,
    activities.ParticipationWithdrawnV1: of_withdrawn_part,
}
