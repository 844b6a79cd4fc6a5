"""Table of responsibilities."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from database import Table


class Responsibility(Table):
    """From a day on, an organisation answers cases of a category from a place and all below it.

    It holds until the next row of the same category and place. Never changed.
    """

    __table_args__ = (
        UniqueConstraint("category", "organisation_id", "valid_from"),
        CheckConstraint("working_days between 1 and 90", name="working_days_bounded"),
        Index("ix_responsibility_organisation_id", "organisation_id"),
    )

    responsibility_id: Mapped[UUID] = mapped_column(primary_key=True)
    category: Mapped[str]
    organisation_id: Mapped[UUID]
    responsible_id: Mapped[UUID]
    working_days: Mapped[int]
    valid_from: Mapped[date]
    assigned_by: Mapped[UUID]
    assigned_at: Mapped[datetime]
