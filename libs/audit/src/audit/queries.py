"""Reads of a service's audit for people: for who watches over it, and for the person whom entries concern."""

from datetime import date
from typing import Any, Final
from uuid import UUID

import asyncpg
from pydantic import AwareDatetime, BaseModel, ConfigDict

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
    day: date | None
    position: int | None


class AccessOut(BaseModel):
    """What somebody else did that concerns the person who asks; of who did it, the office and an id, no more.

    `assist_id` says that it was a helper who acted for the person, in that assisted session.
    """

    model_config = ConfigDict(frozen=True)

    service: str
    happened_at: AwareDatetime
    action: str
    decision: Decision
    purpose: str | None
    actor: UUID | None
    actor_role: str | None
    actor_organisation_id: UUID | None
    actor_organisation: str | None
    assist_id: UUID | None


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
    where entry.subject = $1 and entry.actor is distinct from $1 and ($2::bigint is null or entry.id < $2)
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
    connection: asyncpg.Connection, person_id: UUID, *, before: int | None, limit: int
) -> list[Any]:
    """List what others did that concerns a person, the latest first."""
    found: list[Any] = await connection.fetch(_CONCERNING, person_id, before, limit)
    return found
