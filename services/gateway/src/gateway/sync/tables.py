"""What became of acts that were sent later, for three months: services keep the answers of commands for two days."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from database import Table


class SyncReceipt(Table):
    """The last word on one act of a person; what they said is not in it, but a hash of it is."""

    __table_args__ = (
        CheckConstraint("result in ('applied', 'rejected')", name="result"),
        {"postgresql_partition_by": "range (month)"},
    )

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    op_id: Mapped[UUID] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    actor_id: Mapped[UUID | None]
    kind: Mapped[str]
    subject_id: Mapped[UUID]
    op_hash: Mapped[bytes]
    result: Mapped[str]
    status: Mapped[int | None]
    problem: Mapped[dict[str, Any] | None]
    subject_version: Mapped[int | None] = mapped_column(BigInteger)
    acted_at: Mapped[datetime]
    received_at: Mapped[datetime]
