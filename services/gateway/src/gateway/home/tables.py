"""The home read model: items by audience, and what a person has already done about them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column

from database import Table


class HomeItem(Table):
    """One thing to do or to read, for one audience."""

    __tablename__ = "home_item"
    __table_args__ = (Index(None, "audience", "since", "key", postgresql_where="open"),)

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
    facts: Mapped[dict[str, Any]]


class HomeParticipation(Table):
    """A person has registered for or attended an activity."""

    __tablename__ = "home_participation"

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    activity_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    registered: Mapped[bool]
    attended: Mapped[bool]


class HomeStudy(Table):
    """A person's standing with one lesson of a course."""

    __tablename__ = "home_study"

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    course_id: Mapped[UUID] = mapped_column(primary_key=True)
    lesson_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    completed: Mapped[bool]
