"""What the routes of exports give."""

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from gateway.exporting.collector import State


class PartOut(BaseModel):
    """How far one service is."""

    service: str
    state: State


class ExportOut(BaseModel):
    """How far an export is."""

    export_id: UUID
    asked_at: AwareDatetime
    expires_at: Annotated[AwareDatetime, Field(description="Until when the file can be fetched.")]
    done: int
    total: int
    parts: list[PartOut]
    file: Annotated[str | None, Field(description="Where the file is, once all parts are done.")]
