"""Bodies and answers about taking part."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from activities.participation.rules import ParticipationMode, Provenance
from activities.scheduling.schemas import ActivityOut
from china_time import Moment
from webapi.bodies import Body, Shown


class ReportAttendance(Body):
    """The caller's own word that they take part, or took part at `attended_at` while their device was offline."""

    mode: ParticipationMode = "remote"
    attended_at: Moment | None = Field(None, description="When, if the report comes later; otherwise now.")


class EnterSheet(Body):
    """A paper list of those who took part; entering a name twice changes nothing."""

    person_ids: Annotated[list[UUID], Field(min_length=1, max_length=500)]
    mode: ParticipationMode = "in_person"


class ParticipationOut(Shown):
    """One person's part in one activity; `provenance` lists the sources that reported attendance, in order."""

    participation_id: UUID
    activity_id: UUID
    person_id: UUID
    affiliation_id: UUID
    registered_at: datetime | None
    attended_at: datetime | None
    mode: ParticipationMode | None
    provenance: list[Provenance]


class ActivityForMe(ActivityOut):
    """An activity with the caller's own part in it, if they have one."""

    my_participation: ParticipationOut | None


class SheetRow(BaseModel):
    """What became of one name on a paper list: its participation, or the code of the problem."""

    person_id: UUID
    participation_id: UUID | None = None
    problem: Literal["not_a_member_there"] | None = None


class SheetOut(BaseModel):
    """What became of a paper list, row by row in its order, each person once."""

    recorded: int
    refused: int
    rows: list[SheetRow]
