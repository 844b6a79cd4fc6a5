"""The states of the system's processes, as they are and as they were."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from database import Table

_STATE = "state in ('up', 'slow', 'away')"


class ProcessSeen(Table):
    """How one process does, for a gateway that starts and heard nothing yet."""

    __table_args__ = (CheckConstraint(_STATE, name="state"),)

    service: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    instance: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    since: Mapped[datetime]


class StateChange(Table):
    """That a process came into a state; `gone` when it left or was forgotten."""

    __table_args__ = (Index(None, "changed_at", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    service: Mapped[str]
    role: Mapped[str]
    instance: Mapped[str]
    state: Mapped[str]
    changed_at: Mapped[datetime]
