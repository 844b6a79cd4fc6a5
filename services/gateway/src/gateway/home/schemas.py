"""What `GET /v1/home` answers."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from gateway.home.kinds import KINDS


class _OfKnownKinds:
    """Says in the document what the facts of each known kind hold; of any kind they are taken as they come."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        known = dict.fromkeys(kind.facts for kind in KINDS.values())
        return core_schema.union_schema([handler(source), *map(handler.generate_schema, known)], mode="left_to_right")

    @classmethod
    def __get_pydantic_json_schema__(cls, either: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        open_, *known = handler(either)["anyOf"]
        return {"type": "object", "anyOf": [*known, open_]}


class HomeItemOut(BaseModel):
    """One thing to do or to read."""

    model_config = ConfigDict(extra="forbid")

    key: Annotated[str, Field(description="Stays the same as long as the item is there.")]
    kind: Annotated[str, Field(json_schema_extra={"enum": list(KINDS)})]
    subject_id: Annotated[UUID, Field(description="The activity, course, lesson, case or list it is about.")]
    href: Annotated[str, Field(description="Where the subject is read.")]
    organisation_id: UUID
    organisation_name: str | None
    since: datetime
    due_at: datetime | None
    overdue: bool
    facts: Annotated[
        dict[str, Any], _OfKnownKinds, Field(description="What is already known, so that nobody asks again.")
    ]
