"""The table of proposals: what a client shall be, who proposed it, and who decided."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from database import Table


class ClientProposal(Table):
    """A registration, new or changed, as one person proposed it and a second one decided on it."""

    __tablename__ = "client_proposal"
    __table_args__ = (
        CheckConstraint("status in ('pending', 'approved', 'refused', 'superseded')", name="status"),
        CheckConstraint("(status in ('approved', 'refused')) = (decided_by is not null)", name="decided_by_somebody"),
        CheckConstraint("(decided_at is null) = (decided_by is null)", name="decided_at"),
        CheckConstraint("decided_by <> proposed_by", name="four_eyes"),
        Index("uq_client_proposal_pending", "client_id", unique=True, postgresql_where=text("status = 'pending'")),
    )

    proposal_id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id"), index=True)
    terms: Mapped[dict[str, Any]]
    """What was proposed, in the form of `ClientTerms`."""
    status: Mapped[str] = mapped_column(server_default="pending")
    proposed_by: Mapped[UUID]
    proposed_at: Mapped[datetime]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
