"""The table of phone replacements: who proposed which number for which account, and how far it is."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from database import Table


class PhoneReplacement(Table):
    """One new number for one account, from the officer who proposed it to the day on which it counts.

    The number is sealed, and destroyed as soon as it is on file or never will be.
    """

    __table_args__ = (
        CheckConstraint(
            "status in ('proposed', 'confirmed', 'approved', 'objected', 'completed', 'lapsed')", name="status"
        ),
        CheckConstraint("approved_by <> proposed_by", name="two_officers"),
        CheckConstraint("account_id not in (proposed_by, approved_by)", name="of_somebody_else"),
        CheckConstraint(
            "(sealed_phone is not null) = (status in ('proposed', 'confirmed', 'approved'))", name="number_while_open"
        ),
        CheckConstraint(
            "confirmed_at is not null"
            " or (status not in ('confirmed', 'approved', 'completed') and approved_at is null)",
            name="confirmed_first",
        ),
        CheckConstraint(
            "num_nonnulls(approved_by, approved_at, ready_at) in (0, 3)"
            " and (approved_at is not null or status not in ('approved', 'completed'))",
            name="approved",
        ),
        CheckConstraint("(objected_at is null) = (status <> 'objected')", name="objected"),
        CheckConstraint("(completed_at is null) = (status <> 'completed')", name="completed"),
        Index(
            "uq_phone_replacement_open",
            "account_id",
            unique=True,
            postgresql_where=text("status in ('proposed', 'confirmed', 'approved')"),
        ),
    )

    replacement_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id", ondelete="cascade"), index=True)
    organisation_id: Mapped[UUID] = mapped_column(index=True)
    """Where the person is affiliated, else the organisation that opened the account: whose officers decide."""
    status: Mapped[str]
    sealed_phone: Mapped[bytes | None] = mapped_column(LargeBinary)
    challenge_id: Mapped[UUID]
    """The code that was sent to the new number; it is deleted long before this."""
    proposed_by: Mapped[UUID]
    proposed_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    approved_by: Mapped[UUID | None]
    approved_at: Mapped[datetime | None]
    ready_at: Mapped[datetime | None]
    """From when on the new number takes the place of the old."""
    objected_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    expires_at: Mapped[datetime] = mapped_column(index=True)
