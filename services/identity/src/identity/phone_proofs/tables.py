"""The table of proofs by the phone on a member file: neither the code nor the number is kept."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from database import Table


class PhoneProof(Table):
    """A code that members was asked to send, for one purpose and one browser.

    `person_id` is whose phone it goes to: known before, or told by members; while it is null, no code is right.
    """

    __table_args__ = (
        CheckConstraint("purpose in ('first_sign_in', 'own_account')", name="purpose"),
        CheckConstraint("tries between 0 and 5", name="tries"),
        CheckConstraint("passed_at is null or person_id is not null", name="passed_by_somebody"),
        Index("ix_phone_proof_open", "bound_to", "purpose", postgresql_where=text("ended_at is null")),
    )

    proof_id: Mapped[UUID] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    person_id: Mapped[UUID | None] = mapped_column(index=True)
    bound_to: Mapped[bytes] = mapped_column(LargeBinary)
    """The hash of the browser's secret that has to come with the answer."""
    tries: Mapped[int] = mapped_column(server_default="0")
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    passed_at: Mapped[datetime | None]
    """When the right code was given; from then on it is good, for as long again, for what it was asked for."""
    ended_at: Mapped[datetime | None]
    """When it was used, or another took its place."""
