"""What the overview answers."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class FigureOut(BaseModel):
    """One figure with the formula that holds today."""

    model_config = ConfigDict(extra="forbid")

    measure: str
    value: Annotated[int | None, Field(description="null where a group of fewer than five people could be seen.")]
    suppressed: bool
    formula_zh: str
    formula_en: str
    formula_holds_from: date


class OverviewOut(BaseModel):
    """The figures of one organisation and everything below it."""

    model_config = ConfigDict(extra="forbid")

    organisation_id: UUID
    organisation_name: str
    level: str
    figures: list[FigureOut]
