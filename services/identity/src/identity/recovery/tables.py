"""Tables of recovery: who asks for the way back into which account, and which officers agreed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from database import Table


class Recovery(Table):
    """One way back into one account, from the code that began it to the new password.

    `proof_hash` is the SHA-256 of the cookie with which the new password may be set, once everything else is done.
    """

    __table_args__ = (
        CheckConstraint("status in ('requested', 'approved', 'objected', 'completed', 'lapsed')", name="status"),
        CheckConstraint("ready_at is not null or status not in ('approved', 'completed')", name="ready_once_approved"),
        CheckConstraint("(objected_at is null) = (status <> 'objected')", name="objected"),
        CheckConstraint("(completed_at is null) = (status <> 'completed')", name="completed"),
        CheckConstraint("(proof_hash is null) = (proof_expires_at is null)", name="proof"),
        Index(
            "uq_recovery_open",
            "account_id",
            unique=True,
            postgresql_where=text("status in ('requested', 'approved')"),
        ),
        Index("uq_recovery_proof_hash", "proof_hash", unique=True),
    )

    recovery_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id", ondelete="cascade"), index=True)
    organisation_id: Mapped[UUID] = mapped_column(index=True)
    """Where the person is affiliated, else the organisation that opened the account: whose officers may approve."""
    status: Mapped[str]
    needs_approval: Mapped[bool]
    lost_device: Mapped[bool]
    """The person also lost what they prove themselves with a second time, so that it is taken off the account."""
    requested_at: Mapped[datetime]
    ready_at: Mapped[datetime | None]
    """From when on a new password may be set."""
    objected_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    proof_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    proof_expires_at: Mapped[datetime | None]


class RecoveryApproval(Table):
    """One officer agreed to a recovery."""

    recovery_id: Mapped[UUID] = mapped_column(ForeignKey("recovery.recovery_id", ondelete="cascade"), primary_key=True)
    approver_id: Mapped[UUID] = mapped_column(primary_key=True)
    approved_at: Mapped[datetime]
