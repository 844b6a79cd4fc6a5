"""The table of consents to purposes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from database import Table


class Consent(Table):
    """A person agreed to one version of the text of a purpose; a withdrawn one stays on record."""

    __table_args__ = (
        CheckConstraint("text_version > 0", name="text_version"),
        Index("ix_consent_person_id", "person_id", "purpose", "given_at"),
        Index("uq_consent_given", "person_id", "purpose", unique=True, postgresql_where=text("withdrawn_at is null")),
    )

    consent_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id"))
    purpose: Mapped[str]
    text_version: Mapped[int]
    given_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
