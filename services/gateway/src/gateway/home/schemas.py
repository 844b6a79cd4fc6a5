"""What `GET /v1/home` answers."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from gateway.home.kinds import KINDS


class HomeItemOut(BaseModel):
    """One thing to do or to read."""

    model_config = ConfigDict(extra="forbid")

    key: Annotated[str, Field(description="Stays the same as long as the item is there.")]
    kind: Annotated[str, Field(json_schema_extra={"enum": list(KINDS)})]
    subject_id: Annotated[UUID, Field(description="The activity, course, lesson or case it is about.")]
    href: Annotated[str, Field(description="Where the subject is read.")]
    organisation_id: UUID
    organisation_name: str | None
    since: datetime
    due_at: datetime | None
    overdue: bool
    facts: Annotated[dict[str, Any], Field(description="What is already known, so that nobody asks again.")]
