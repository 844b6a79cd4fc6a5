"""Event of a composition: how a branch is made up, as counts."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from contracts.envelope import Code, Event

Count = Annotated[int, Field(ge=0)]


class CompositionCountedV1(Event):
    """How many members a branch has, and how many of them are of each kind that needs care; counts alone.

    `stages` counts by stage of admission, `age_bands` by band (`under_35`, `35_to_59`, `60_and_over`); each sums to
    `members`.
    """

    type: ClassVar[str] = "xiangqiao.members.composition.counted.v1"
    aggregate: ClassVar[str] = "composition"
    identified_by: ClassVar[str] = "organisation_id"

    organisation_id: UUID
    members: Count
    away: Count
    without_smartphone: Count
    stages: Annotated[dict[Code, Count], Field(max_length=20)]
    age_bands: Annotated[dict[Code, Count], Field(max_length=20)]
