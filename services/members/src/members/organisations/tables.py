"""The register of organisations and, by day, where each stood and what it was called.

`organisation` itself is orgtree's table, the local copy of the tree that every service has; this one is the source.
"""

from datetime import date
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from database import Table


class RegisteredOrganisation(Table):
    """One organisation as it now is; only the root has no parent. `version` counts its events from 1."""

    organisation_id: Mapped[UUID] = mapped_column(primary_key=True)
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("registered_organisation.organisation_id"), index=True)
    kind: Mapped[str]
    level: Mapped[str]
    name: Mapped[str]
    division_code: Mapped[str | None]
    established_on: Mapped[date]
    dissolved_on: Mapped[date | None]
    version: Mapped[int] = mapped_column(BigInteger)


class OrganisationPeriod(Table):
    """Where an organisation stood and what it was called from `from_day` through `until_day`, both included."""

    __table_args__ = (
        Index(
            "uq_organisation_period_open", "organisation_id", unique=True, postgresql_where=text("until_day is null")
        ),
        Index("ix_organisation_period_parent_id", "parent_id", "from_day"),
        CheckConstraint("until_day >= from_day", name="days"),
    )

    organisation_id: Mapped[UUID] = mapped_column(
        ForeignKey("registered_organisation.organisation_id"), primary_key=True
    )
    from_day: Mapped[date] = mapped_column(primary_key=True)
    until_day: Mapped[date | None]
    parent_id: Mapped[UUID | None]
    name: Mapped[str]
    division_code: Mapped[str | None]
