"""What each aggregate now contributes to the figures; the kept rollups above it are orgtree's."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from database import Table


class Contribution(Table):
    """One aggregate's present contribution: `measures` maps a measure to a count."""

    __tablename__ = "contribution"

    aggregate: Mapped[str] = mapped_column(primary_key=True)
    aggregate_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    organisation_id: Mapped[UUID]
    measures: Mapped[dict[str, int]] = mapped_column(JSONB)
