"""The last good document of each service, kept in the database: a gateway that starts goes on with it."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import orjson

from database import Database, columns, raw
from gateway.documents.merging import Document

_RECALL = "select service, document::text, fetched_at from service_document"
_KEEP = """
insert into service_document as kept (service, document, fetched_at)
select service, document::jsonb, fetched_at
from unnest($1::text[], $2::text[], $3::timestamptz[]) as new (service, document, fetched_at)
order by service
on conflict (service) do update set document = excluded.document, fetched_at = excluded.fetched_at
where kept.fetched_at < excluded.fetched_at
"""
_SEEN = "update service_document set fetched_at = $2 where service = any($1::text[]) and fetched_at < $2"


class Copy(NamedTuple):
    """A service's document as it was last good, and when it was fetched."""

    document: Document
    fetched_at: datetime


async def recall(database: Database) -> dict[str, Copy]:
    """Give what is kept, by service."""
    async with database.read() as session:
        rows = await (await raw(session)).fetch(_RECALL)
    return {row["service"]: Copy(orjson.loads(row["document"]), row["fetched_at"]) for row in rows}


async def keep(database: Database, copies: Mapping[str, Copy], changed: Mapping[str, Copy]) -> None:
    """Keep the `changed` ones, and of all `copies` when they were fetched."""
    async with database.transaction() as session:
        connection = await raw(session)
        if changed:
            rows = [(name, orjson.dumps(copy.document).decode(), copy.fetched_at) for name, copy in changed.items()]
            await connection.execute(_KEEP, *columns(rows))
        for fetched_at in {copy.fetched_at for copy in copies.values()}:
            seen = sorted(name for name, copy in copies.items() if copy.fetched_at == fetched_at)
            await connection.execute(_SEEN, seen, fetched_at)
