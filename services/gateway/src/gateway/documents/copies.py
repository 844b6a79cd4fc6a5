"""The last good document of each service, kept in the database: a gateway that starts goes on with it."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import orjson

from database import Database, columns
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


class Copy(NamedTuple):
    """A service's document as it was last good, and when it was fetched."""

    document: Document
    fetched_at: datetime


async def recall(database: Database) -> dict[str, Copy]:
    """Give what is kept, by service, with when it was fetched first."""
    async with database.look() as connection:
        rows = await connection.fetch(_RECALL)
    return {row["service"]: Copy(orjson.loads(row["document"]), row["fetched_at"]) for row in rows}


async def keep(database: Database, changed: Mapping[str, Copy]) -> None:
    """Keep documents, of which there is one at least, unless a newer one of the service is kept."""
    rows = [(name, orjson.dumps(copy.document).decode(), copy.fetched_at) for name, copy in changed.items()]
    async with database.raw_transaction() as connection:
        await connection.execute(_KEEP, *columns(rows))
