"""What a person gets of their member file, and what is forgotten of it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from database import raw
from members.files.queries import Own, list_versions
from members.files.sealing import FIELDS, SealedFile
from privacy import Asked
from webapi import PageRequest

_MOST_VERSIONS = 10_000
_OPENINGS = """
select opened_at, purpose, fields, on_behalf_of is not null as in_assisted_session from file_access
where person_id = $1 order by opened_at, access_id
"""
# The month of birth becomes its year: enough to go on counting ages, not enough to know anybody by it.
_FORGET = (
    "delete from phone_message where person_id = any($1::uuid[])",
    """
    update member_key set wrapped = null, destroyed_at = coalesce(destroyed_at, now())
    where person_id = any($1::uuid[]) and wrapped is not null
    """,
    """
    update member set id_number_index = null, phone_index = null, person_index = null, indexed_version = version,
        birth_month = date_trunc('year', birth_month)
    where person_id = any($1::uuid[]) and id_number_index is not null
    """,
)


async def compose(asked: Asked) -> dict[str, Any]:
    """Give every version of a person's file in clear, and who opened it for what."""
    mine = Own(asked.person_id)
    rows = await list_versions(asked.session, asked.person_id, reader=mine, page=PageRequest(_MOST_VERSIONS))
    versions = []
    for row in reversed(rows):
        file = SealedFile(asked.ring, dict(row._mapping))  # noqa: SLF001 - SQLAlchemy's documented way to the row
        open_fields = ("version", "recorded_at", "organisation_id", "stage", "away", "smartphone")
        in_clear = {field: file.open(field) for field in FIELDS}
        versions.append({**{field: getattr(row, field) for field in open_fields}, **in_clear})
    openings = await (await raw(asked.session)).fetch(_OPENINGS, asked.person_id)
    return {"file": versions, "file_openings": [dict(row) for row in openings]}


async def forget(session: AsyncSession, person_ids: Sequence[UUID]) -> None:
    """Destroy the keys of these people's files and what finds them; the counts of their branches stay."""
    connection = await raw(session)
    for statement in _FORGET:
        await connection.execute(statement, list(person_ids))
