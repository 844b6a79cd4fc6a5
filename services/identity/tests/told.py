"""What identity told the other services: the events in its outbox."""

from typing import Any
from uuid import UUID

import orjson

from database import Database, raw


async def told_of(database: Database, aggregate_id: UUID | str, kind: str) -> list[tuple[int, dict[str, Any]]]:
    """Give version and data of every event of an aggregate, in order; `kind` is its last words, e.g. "revoked"."""
    asked = "select aggregate_version, payload from outbox where aggregate_id = $1 and type like $2 order by id"
    async with database.read() as session:
        rows = await (await raw(session)).fetch(asked, UUID(str(aggregate_id)), f"%.{kind}.v1")
    return [(row["aggregate_version"], orjson.loads(row["payload"])["data"]) for row in rows]


async def changes_of(database: Database, person_id: UUID) -> list[tuple[int, int]]:
    """Give the event's version and the authorization version of every change told of an account."""
    told = await told_of(database, person_id, "authorization_changed")
    return [(version, data["authorization_version"]) for version, data in told]


async def is_told_revoked(database: Database, session_id: UUID | str) -> bool:
    """Say whether it was told, once, that a session was revoked."""
    told = await told_of(database, session_id, "session.revoked")
    assert told in ([], [(1, {"session_id": str(session_id)})])
    return bool(told)
