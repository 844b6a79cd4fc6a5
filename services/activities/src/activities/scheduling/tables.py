"""Table of activities."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from database import Table


class Activity(Table):
    """A meeting or activity of one organisation; `version` counts its events."""

    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="ends_after_it_starts"),
        CheckConstraint("status in ('scheduled', 'closed')", name="status_known"),
        CheckConstraint("(status = 'closed') = (closed_at is not null)", name="closed_at_a_time"),
        Index("ix_activity_organisation_id_starts_at", "organisation_id", "starts_at", "activity_id"),
        Index("ix_activity_starts_at", "starts_at", "activity_id"),
    )

    activity_id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID]
    kind: Mapped[str]
    title: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    place: Mapped[str | None]
    join_url: Mapped[str | None]
    agenda: Mapped[list[str]]
    status: Mapped[str]
    scheduled_by: Mapped[UUID]
    scheduled_at: Mapped[datetime]
    closed_by: Mapped[UUID | None]
    closed_at: Mapped[datetime | None]
    version: Mapped[int]
