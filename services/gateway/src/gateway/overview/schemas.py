"""What the overview answers."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from gateway.supervision.staleness import Stale


class FigureOut(BaseModel):
    """One figure with the formula that holds today."""

    measure: str
    value: Annotated[int | None, Field(description="null where a group of fewer than five people could be seen.")]
    suppressed: bool
    formula_zh: str
    formula_en: str
    formula_holds_from: date


class OverviewOut(BaseModel):
    """The figures of one organisation and everything below it."""

    organisation_id: UUID
    organisation_name: str
    level: str
    division_code: Annotated[str | None, Field(description="Its place in the official list of divisions, if any.")]
    figures: list[FigureOut]


class OverviewWithStaleOut(OverviewOut):
    """The figures of one organisation and everything below it, and whose part of them may be old."""

    stale: Annotated[
        list[Stale], Field(description="Services whose newest may be missing here: they are away, or late to tell it.")
    ]
