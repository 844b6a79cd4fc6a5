"""Tables of participation: one row per activity and person, and each source that reported attendance."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from database import Table


class Participation(Table):
    """One person's part in one activity; `version` counts its events.

    `affiliation_id` is the person's branch when they registered, and then when they attended. `mode`, `attended_at`
    and the first of `provenance` come from the first report; later sources are added to `provenance` alone.
    """

    __table_args__ = (
        UniqueConstraint("activity_id", "person_id"),
        CheckConstraint("registered_at is not null or attended_at is not null", name="registered_or_attended"),
        CheckConstraint("(attended_at is null) = (mode is null)", name="mode_when_attended"),
        CheckConstraint("(attended_at is null) = (cardinality(provenance) = 0)", name="provenance_when_attended"),
        Index("ix_participation_person_id", "person_id"),
    )

    participation_id: Mapped[UUID] = mapped_column(primary_key=True)
    activity_id: Mapped[UUID] = mapped_column(ForeignKey("activity.activity_id"))
    person_id: Mapped[UUID]
    affiliation_id: Mapped[UUID]
    registered_at: Mapped[datetime | None]
    attended_at: Mapped[datetime | None]
    mode: Mapped[str | None]
    provenance: Mapped[list[str]]
    version: Mapped[int]


class AttendanceReport(Table):
    """One source's word that a person took part: who said so, when, and about what time. Never changed."""

    participation_id: Mapped[UUID] = mapped_column(ForeignKey("participation.participation_id"), primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    mode: Mapped[str]
    attended_at: Mapped[datetime]
    reported_by: Mapped[UUID]
    reported_at: Mapped[datetime]
