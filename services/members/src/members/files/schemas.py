"""What goes in and out over HTTP about member files."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from members.files.rules import SealedField

Stage = Literal["applicant", "activist", "development_target", "probationary", "full"]
Name = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
Phone = Annotated[str, StringConstraints(pattern=r"^1[0-9]{10}$"), Field(description="A mobile number: 11 digits.")]


class Body(BaseModel):
    """What people send about members: what they wrote must not come back in a message about a wrong request."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class ReviseMember(Body):
    """Change a file; `base_version` is the version that the change was made to. What is left out stays."""

    base_version: Annotated[int, Field(ge=1)]
    stage: Stage | None = None
    name: Name | None = None
    phone: Annotated[Phone | None, Field(description="null takes the number out.")] = None
    away: bool | None = None
    smartphone: bool | None = None

    @property
    def changes(self) -> dict[str, Any]:
        """The fields that were sent."""
        return self.model_dump(exclude_unset=True, exclude={"base_version"})

    @model_validator(mode="after")
    def _only_the_phone_can_go(self) -> "ReviseMember":
        if not self.changes:
            raise ValueError("nothing to change")
        if any(value is None for field, value in self.changes.items() if field != "phone"):
            raise ValueError("only the phone can be taken out")
        return self


class MemberOut(BaseModel):
    """A version of a member's file. Name, identity number and phone are masked unless they are among `opened`."""

    model_config = ConfigDict(frozen=True)

    person_id: UUID
    organisation_id: UUID
    version: int
    recorded_at: AwareDatetime
    stage: Stage
    away: bool
    smartphone: bool
    name: str
    id_number: str
    phone: str | None
    opened: Annotated[list[SealedField], Field(description="The sealed fields that are shown in clear.")]


class VersionOut(MemberOut):
    """A version of a member's file, and who recorded it."""

    recorded_by: UUID


class RevisionOutcome(BaseModel):
    """The version of the file that resulted."""

    model_config = ConfigDict(frozen=True)

    person_id: UUID
    version: int
