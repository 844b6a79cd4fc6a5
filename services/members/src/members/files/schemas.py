"""What goes in and out over HTTP about member files."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, model_validator

from members.files.rules.personal_fields import SealedField
from webapi import rule_broken
from webapi.bodies import Body, PersonName, Phone, Versioned

Stage = Literal["applicant", "activist", "development_target", "probationary", "full"]
Version = Annotated[int, Field(ge=1, lt=2**31)]
"""A version that a file may have; the column takes more, and nobody changes a file so often."""


class ReviseMember(Body):
    """Change a file; `base_version`, or If-Match, is what the change was made to. What is left out stays."""

    base_version: Annotated[Version | None, Field(description="Merged, or 409; If-Match is 412 instead.")] = None
    stage: Stage | None = None
    name: PersonName | None = None
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
            raise rule_broken(
                "nothing_to_change",
                en="Send at least one field besides base_version: what is to change.",
                zh="除 base_version 外,请至少提交一项要更改的内容。",
            )
        if any(value is None for field, value in self.changes.items() if field != "phone"):
            raise rule_broken(
                "only_the_phone_can_go",
                en="Only the phone can be null, which takes it out; leave out the fields that stay as they are.",
                zh="只有电话可以为 null(表示删除);不更改的字段请不要提交。",
            )
        return self


class MemberOut(Versioned):
    """A version of a member's file. Name, identity number and phone are masked unless they are among `opened`."""

    person_id: UUID
    organisation_id: UUID
    recorded_at: AwareDatetime
    stage: Stage
    away: bool
    smartphone: bool
    name: str
    id_number: str
    phone: str | None
    opened: Annotated[list[SealedField], Field(description="The sealed fields that are shown in clear.")]
    clear_from: Annotated[
        str | None,
        Field(
            description="Of one's own file that is shown masked: the `acr_values` to ask for at the authorization "
            "endpoint, by which it is shown in clear (RFC 9470)."
        ),
    ] = None


class VersionOut(MemberOut):
    """A version of a member's file, and who recorded it."""

    recorded_by: UUID


class RevisionOutcome(Versioned):
    """The version of the file that resulted."""

    person_id: UUID
