"""Tables of consents, exports, erasures and legal holds."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from database import Table


class ExportRequest(Table):
    """A person asked for all that is known of them; every service composes its part."""

    __table_args__ = (Index("ix_export_request_person_id", "person_id", "asked_at", "export_id"),)

    export_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id"))
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class LegalHold(Table):
    """A person's data must stay, on a basis of `grounds.toml`, until a day or until the hold is lifted."""

    __table_args__ = (
        CheckConstraint("(lifted_by is null) = (lifted_at is null)", name="lifted"),
        Index("ix_legal_hold_person_id", "person_id", "placed_at", "hold_id"),
    )

    hold_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id"))
    basis: Mapped[str]
    placed_by: Mapped[UUID]
    placed_at: Mapped[datetime]
    holds_until: Mapped[date | None]
    """The last day it holds; without one it holds until it is lifted."""
    lifted_by: Mapped[UUID | None]
    lifted_at: Mapped[datetime | None]


class Erasure(Table):
    """Somebody was erased. It is told again and again, as the stream forgets and backups are restored."""

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    decided_at: Mapped[datetime]
    times_told: Mapped[int]
    """The version of its last event."""
    told_at: Mapped[datetime] = mapped_column(index=True)
