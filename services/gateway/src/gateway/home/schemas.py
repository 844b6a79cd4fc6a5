"""What `GET /v1/home` answers."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from gateway.home.items import Section
from gateway.home.kinds import KINDS
from gateway.supervision.staleness import Stale
from gateway.words import WordsOut
from webapi import Page


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


class ActionOut(BaseModel):
    """An operation of this document that does what the item asks, or a part of it."""

    operation_id: str
    method: str
    href: str
    body: Annotated[dict[str, Any] | None, Field(description="The body as far as it is known; null where none is.")]
    needs: Annotated[
        list[str], Field(description="Fields of the body that the person still gives; without any, one tap does it.")
    ]


class HomeItemOut(BaseModel):
    """One thing to do or to read."""

    key: Annotated[str, Field(description="Stays the same as long as the item is there.")]
    kind: Annotated[str, Field(json_schema_extra={"enum": list(KINDS)})]
    section: Annotated[
        Section, Field(description="To do, to read, or waiting for others: nothing is asked of the person then.")
    ]
    title: WordsOut
    subject_id: Annotated[UUID, Field(description="The activity, course, lesson, case or list it is about.")]
    href: Annotated[str, Field(description="Where the subject is read.")]
    actions: Annotated[list[ActionOut], Field(description="What can be done about it now, the likeliest first.")]
    organisation_id: UUID
    organisation_name: str | None
    since: datetime
    due_at: datetime | None
    overdue: bool
    facts: Annotated[
        dict[str, Any], _OfKnownKinds, Field(description="What is already known, so that nobody asks again.")
    ]
    subject: Annotated[
        dict[str, Any] | None,
        Field(
            description="With `include=subject` what it is about, as the list of its service shows it to this person; "
            "null where they do not see it, the token lacks the service's scope, or the service is in `incomplete`."
        ),
    ] = None


class HomeItemPage(Page[HomeItemOut]):
    """A part of a home. No items and nothing in `stale`: nothing is to be done."""

    incomplete: Annotated[
        list[str],
        Field(description="Services that did not give their subjects in time: ask again later for what is missing."),
    ]
    stale: Annotated[
        list[Stale], Field(description="Services whose newest may be missing here: they are away, or late to tell it.")
    ]
