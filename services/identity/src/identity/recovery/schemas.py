"""What routes about recoveries give."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Status = Literal["requested", "approved", "objected", "completed", "lapsed"]


class RecoveryOut(BaseModel):
    """A recovery that takes officers: of whose account, how far it is, and when a new password can be set."""

    model_config = ConfigDict(from_attributes=True)

    recovery_id: UUID
    person_id: UUID
    organisation_id: UUID
    status: Status
    lost_device: Annotated[bool, Field(description="The second factors are taken off the account as well.")]
    approved_by: Annotated[list[UUID], Field(max_length=2)]
    requested_at: datetime
    ready_at: datetime | None
    objected_at: datetime | None
    completed_at: datetime | None
    expires_at: datetime
