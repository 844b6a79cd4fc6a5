"""What `GET /v1/sync/changes` answers."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

ScopeName = Literal["home", "activities", "courses", "cases", "profile"]


class ChangeOut(BaseModel):
    """One thing that changed for the caller."""

    scope: Annotated[str, Field(json_schema_extra={"enum": list(ScopeName.__args__)})]
    subject_id: Annotated[UUID, Field(description="The thing; in `home` the id that its item's `key` ends in.")]
    version: Annotated[
        int | None, Field(description="The version the thing has, null where only one's own part in it changed.")
    ]
    gone: Annotated[bool, Field(description="Whether it left what the caller sees.")]
    data: Annotated[
        dict[str, Any] | None,
        Field(description="The activity, course, lesson or case as its list gives it to the caller; null: ask for it."),
    ]


class ChangesOut(BaseModel):
    """What changed for the caller since the cursor that was given, in order, each thing once."""

    model_config = ConfigDict(frozen=True)

    changes: list[ChangeOut]
    cursor: Annotated[str, Field(description="Where to go on, at any time; `GET /v1/events` takes it, too.")]
    more: Annotated[bool, Field(description="Whether there is more to read at once.")]
    incomplete: Annotated[list[str], Field(description="Services whose `data` is missing, for they did not answer.")]
    reset: Annotated[
        list[str],
        Field(description="Scopes of which nothing known before holds: what is told from here on is all there is."),
    ]
