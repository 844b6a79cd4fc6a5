"""What members holds about a person, and what it forgets of them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from database import KeyRing, raw
from members.files.queries import Own, list_versions
from members.files.sealing import FIELDS, sealed_file
from privacy import Compose

_MOST_VERSIONS = 10_000
_OPENINGS = """
select opened_at, purpose, fields, on_behalf_of is not null as in_assisted_session from file_access
where person_id = $1 order by opened_at, access_id
"""
# The month of birth becomes its year: enough to go on counting ages, not enough to know anybody by it.
_FORGET = (
    """
    update member_key set wrapped = null, destroyed_at = coalesce(destroyed_at, now())
    where person_id = any($1::uuid[]) and wrapped is not null
    """,
    """
    update member set id_number_index = null, phone_index = null, birth_month = date_trunc('year', birth_month)
    where person_id = any($1::uuid[]) and id_number_index is not null
    """,
)


def composer(ring: KeyRing) -> Compose:
    """Give what composes a person's part, with the own file in clear."""

    async def compose(session: AsyncSession, person_id: UUID) -> dict[str, Any]:
        rows = await list_versions(session, person_id, reader=Own(person_id), after=None, limit=_MOST_VERSIONS)
        versions = []
        for row in reversed(rows):
            file = sealed_file(ring, dict(row._mapping))  # noqa: SLF001 - SQLAlchemy's documented way to the row
            open_fields = ("version", "recorded_at", "organisation_id", "stage", "away", "smartphone")
            versions.append(
                {
                    **{field: getattr(row, field) for field in open_fields},
                    **{field: file.open(field) for field in FIELDS},
                }
            )
        openings = await (await raw(session)).fetch(_OPENINGS, person_id)
        return {"file": versions, "file_openings": [dict(row) for row in openings]}

    return compose


async def forget(session: AsyncSession, person_ids: Sequence[UUID]) -> None:
    """Destroy the keys of these people's files and what finds them; the counts of their branches stay."""
    connection = await raw(session)
    for statement in _FORGET:
        await connection.execute(statement, list(person_ids))
