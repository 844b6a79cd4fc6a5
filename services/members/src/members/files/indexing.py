"""Keeps, beside each file, the keyed index of its name and identity number by which its person opens an account."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, Final

import asyncpg
from pydantic_core import PydanticCustomError

from channels import index_of
from database import Database, KeyRing, SealBroken, columns
from members.files.sealing import SealedFile
from webapi.normal_forms import person_name

AT_ONCE: Final = 500
_log = logging.getLogger(__name__)

# A file that is being changed at this moment is left for the next run.
_NOT_INDEXED: Final = """
    select m.person_id, m.version, k.wrapped, v.name, v.id_number, v.phone
    from member m
    join member_version v using (person_id, version)
    join member_key k using (person_id)
    where m.indexed_version is distinct from m.version and k.wrapped is not null
    order by m.person_id limit $1
    for update of m skip locked
"""
_KEEP: Final = """
    update member set person_index = made.person_index, indexed_version = made.version
    from unnest($1::uuid[], $2::bigint[], $3::bytea[]) as made (person_id, version, person_index)
    where member.person_id = made.person_id
"""


class Indexing:
    """A job: indexes the present version of every file whose index is of another one, some at a time.

    What was indexed stays so when it is ended in between.
    """

    def __init__(self, ring: KeyRing, shared: KeyRing) -> None:
        self._ring = ring
        self._shared = shared

    async def __call__(self, database: Database) -> None:
        """Index until nothing is left."""
        while await self._some(database) == AT_ONCE:
            pass

    async def _some(self, database: Database) -> int:
        async with database.raw_transaction() as connection:
            rows = await connection.fetch(_NOT_INDEXED, AT_ONCE)
            if rows:
                made = await asyncio.to_thread(self._made, rows)
                await connection.execute(_KEEP, *columns(made))
        return len(rows)

    def _made(self, rows: Sequence[asyncpg.Record]) -> list[tuple[Any, ...]]:
        return [(row["person_id"], row["version"], self._index(row)) for row in rows]

    def _index(self, row: asyncpg.Record) -> bytes | None:
        try:
            fields = SealedFile(self._ring, row).open_all()
        except SealBroken:
            _log.exception("file_not_indexed", extra={"person_id": row["person_id"]})
            return None
        try:
            name = person_name(fields.name)
        except PydanticCustomError:  # written down before names had one form
            name = fields.name
        return index_of(self._shared, name, fields.id_number)
