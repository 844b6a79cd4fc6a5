"""Reads of a service's audit for people: for who watches over it, and for the person whom entries concern."""

from collections.abc import Collection
from datetime import date
from typing import Annotated, Any, Final
from uuid import UUID

import asyncpg
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from audit.entries import Decision


class EntryOut(BaseModel):
    """An entry of the audit: codes and ids. `day` and `position` are its place in the chain, once it is sealed."""

    model_config = ConfigDict(frozen=True)

    id: int
    happened_at: AwareDatetime
    action: str
    decision: Decision
    purpose: str | None
    rule: str | None
    actor: UUID | None
    actor_role: str | None
    actor_organisation_id: UUID | None
    on_behalf_of: UUID | None
    assist_id: UUID | None
    subject: UUID | None
    object_id: UUID | None
    organisation_id: UUID | None
    times: Annotated[
        int | None,
        Field(
            description="How often in the hour from `happened_at`, by somebody who had no such permission anywhere: "
            "such tries are counted, and concern nobody."
        ),
    ]
    day: date | None
    position: int | None


class AccessOut(BaseModel):
    """What was done that concerns the person who asks; of who did it, the office and an id, no more."""

    model_config = ConfigDict(frozen=True)

    service: Annotated[str, Field(description="Where it was done; with `id` it names the entry.")]
    id: Annotated[int, Field(description="The number in that service's audit; later entries have higher ones.")]
    happened_at: AwareDatetime
    action: Annotated[str, Field(description="What was done, a code: `<service>.<thing>.<done>`.")]
    decision: Annotated[Decision, Field(description="`refused`: it was tried, and not let be done.")]
    purpose: Annotated[str | None, Field(description="What for, a code, where a purpose is asked.")]
    actor: Annotated[UUID | None, Field(description="Who did it; one's own id for one's own sign-ins.")]
    actor_role: Annotated[str | None, Field(description="The office that allowed it; `GET /v1/roles` has its title.")]
    actor_organisation_id: Annotated[UUID | None, Field(description="Where that office is held.")]
    actor_organisation: Annotated[str | None, Field(description="The name of that organisation.")]
    assist_id: Annotated[
        UUID | None,
        Field(
            description="`actor` was a helper, in this assisted session: `GET /v1/me/assisted-sessions` tells for "
            "which organisation, what was agreed to, and how."
        ),
    ]


_LIST: Final = f"""
    select {", ".join(EntryOut.model_fields)} from audit.entry
    where ($1::bigint is null or id < $1) and ($2::date is null or day = $2)
      and ($3::uuid is null or subject = $3) and ($4::uuid is null or actor = $4) and ($5::text is null or action = $5)
    order by id desc limit $6
"""  # noqa: S608 - names of a class
_CONCERNING: Final = """
    select entry.id, entry.happened_at, entry.action, entry.decision, entry.purpose, entry.actor, entry.actor_role,
           entry.actor_organisation_id, office.name as actor_organisation, entry.assist_id
    from audit.entry entry left join organisation office on office.organisation_id = entry.actor_organisation_id
    where entry.subject = $1 and (entry.actor is distinct from $1 or entry.action = any($4::text[]))
      and ($2::bigint is null or entry.id < $2)
    order by entry.id desc limit $3
"""


async def list_entries(
    connection: asyncpg.Connection,
    *,
    day: date | None,
    subject: UUID | None,
    actor: UUID | None,
    action: str | None,
    before: int | None,
    limit: int,
) -> list[Any]:
    """List the entries that meet every filter, the latest first."""
    found: list[Any] = await connection.fetch(_LIST, before, day, subject, actor, action, limit)
    return found


async def list_concerning(
    connection: asyncpg.Connection,
    person_id: UUID,
    *,
    service: str,
    before: int | None,
    limit: int,
    own: Collection[str] = (),
) -> list[AccessOut]:
    """List what others did that concerns a person, and what they did themselves of the actions `own`, the latest first.

    `before` is the id of an entry: only those below it are listed.
    """
    rows = await connection.fetch(_CONCERNING, person_id, before, limit, list(own))
    return [AccessOut.model_validate({**row, "service": service}) for row in rows]
