"""Tables of cases: the case as it stands, and everything that was said and done, in order."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from database import Sealed, Table
from feedback.cases.rules import CaseStatus


class Case(Table):
    """A case as it stands; `version` counts its entries and its events. What was said is sealed in its entries.

    `data_key` seals the texts of its entries and is itself sealed under the service's key ring: destroyed, when the
    person who brought the case is erased, they are unreadable for good. `due_provisionally` says that the deadline
    runs over days whose official calendar was not known.
    """

    __tablename__ = "feedback_case"
    __table_args__ = (
        CheckConstraint("status in ('open', 'answered', 'confirmed')", name="status_known"),
        CheckConstraint("(status = 'open') = (answered_at is null)", name="answered_at_a_time"),
        CheckConstraint("(status = 'confirmed') = (confirmed_at is not null)", name="confirmed_at_a_time"),
        Index("ix_feedback_case_reporter_id", "reporter_id", "opened_at", "case_id"),
        Index("ix_feedback_case_organisation_id", "organisation_id", "opened_at", "case_id"),
        Index("ix_feedback_case_responsible_id", "responsible_id", "opened_at", "case_id"),
        Index("ix_feedback_case_opened_at", "opened_at", "case_id"),
    )

    case_id: Mapped[UUID] = mapped_column(primary_key=True)
    category: Mapped[str]
    organisation_id: Mapped[UUID]
    responsibility_id: Mapped[UUID] = mapped_column(ForeignKey("responsibility.responsibility_id"))
    responsible_id: Mapped[UUID]
    reporter_id: Mapped[UUID | None]
    status: Mapped[CaseStatus] = mapped_column(Text)
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    due_provisionally: Mapped[bool]
    answered_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    data_key: Mapped[Sealed | None]
    version: Mapped[int]


class CaseEntry(Table):
    """One thing said or done in a case. The database refuses to change or remove it."""

    __table_args__ = (CheckConstraint("kind in ('opened', 'answered', 'confirmed')", name="kind_known"),)

    case_id: Mapped[UUID] = mapped_column(ForeignKey("feedback_case.case_id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    at: Mapped[datetime]
    text: Mapped[Sealed | None]
