"""The home read model: items by audience, and what a person has already done about them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from database import Table


class HomeItem(Table):
    """One thing to do or to read, for one audience."""

    __table_args__ = (
        Index("ix_home_item_since", "audience", "kind", "since", "key", postgresql_where="open"),
        Index(
            "ix_home_item_due", "audience", "kind", text("coalesce(due_at, 'infinity')"), "key", postgresql_where="open"
        ),
    )

    key: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    audience: Mapped[str]
    kind: Mapped[str]
    subject_id: Mapped[UUID]
    organisation_id: Mapped[UUID]
    since: Mapped[datetime]
    due_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    open: Mapped[bool]
    parts: Mapped[list[UUID]]
    facts: Mapped[dict[str, Any]]


class HomeDone(Table):
    """Whether a person has done one part of what items of a kind ask; what is not done keeps its version here."""

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    part_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    done: Mapped[bool]
