"""What each aggregate now contributes to the figures; the kept rollups above it are orgtree's."""

from uuid import UUID

from sqlalchemy import BigInteger, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from database import Table


class Contribution(Table):
    """One aggregate's present contribution: `measures` maps a measure to a count.

    `person` is the mark of whom it is about (`orgtree.mark_of`), nothing where it is about nobody or who is erased.
    """

    __table_args__ = (Index("ix_contribution_person", "person", postgresql_where=text("person is not null")),)

    aggregate: Mapped[str] = mapped_column(primary_key=True)
    aggregate_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    organisation_id: Mapped[UUID]
    person: Mapped[int | None] = mapped_column(BigInteger)
    measures: Mapped[dict[str, int]] = mapped_column(JSONB)
