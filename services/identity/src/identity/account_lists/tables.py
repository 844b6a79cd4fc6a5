"""Tables of lists of accounts to open, and of what became of each row."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from database import Table


class AccountList(Table):
    """A list of members who are to have accounts, all within one organisation; it holds by a second person's word."""

    __table_args__ = (
        CheckConstraint("status in ('proposed', 'approved', 'refused', 'withdrawn')", name="status"),
        CheckConstraint("(status = 'proposed') = (decided_at is null)", name="decided_at"),
        CheckConstraint("(decided_at is null) = (decided_by is null)", name="decided_by"),
        CheckConstraint("status <> 'approved' or decided_by <> given_by", name="two_people"),
    )

    list_id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(index=True)
    status: Mapped[str] = mapped_column(server_default="proposed")
    size: Mapped[int]
    given_by: Mapped[UUID] = mapped_column(index=True)
    given_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]


class AccountListRow(Table):
    """One account to open. It falls due when its list is approved, and has an `outcome` once it is done."""

    __table_args__ = (
        CheckConstraint("(outcome is null) = (done_at is null)", name="done_at"),
        UniqueConstraint("list_id", "number", name="uq_account_list_row_list_id_number"),
        Index("ix_account_list_row_due_at", "due_at", postgresql_where=text("outcome is null")),
    )

    row_id: Mapped[UUID] = mapped_column(primary_key=True)
    list_id: Mapped[UUID] = mapped_column(ForeignKey("account_list.list_id", ondelete="cascade"))
    number: Mapped[int]
    person_id: Mapped[UUID] = mapped_column(index=True)
    organisation_id: Mapped[UUID]
    username: Mapped[str]
    outcome: Mapped[str | None]
    done_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    due_at: Mapped[datetime | None]
