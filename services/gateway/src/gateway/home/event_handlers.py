"""Keeps the home read model: one upsert a batch, never back to an earlier version, nothing of who is erased."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from contracts import Event, handlers_of
from database import columns, raw
from gateway import change_log
from gateway.erasing import write_about_people
from gateway.home.items import Done, Gone, Item, Shown
from gateway.home.kinds import SHOWN
from messaging import Handler, Received

_KEEP_ITEMS = """
insert into home_item as kept
    (key, version, audience, kind, subject_id, organisation_id, since, due_at, expires_at, open, parts, facts)
select key, version, audience, kind, subject_id, organisation_id, since, due_at, expires_at, open, parts::uuid[],
       facts::jsonb
from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::timestamptz[],
            $8::timestamptz[], $9::timestamptz[], $10::boolean[], $11::text[], $12::text[])
    as new(key, version, audience, kind, subject_id, organisation_id, since, due_at, expires_at, open, parts, facts)
where not exists (select from erased_person gone where new.audience = 'person:' || gone.person_id)
order by key
on conflict (key) do update set
    version = excluded.version, audience = excluded.audience, kind = excluded.kind,
    subject_id = excluded.subject_id, organisation_id = excluded.organisation_id, since = excluded.since,
    due_at = excluded.due_at, expires_at = excluded.expires_at, open = excluded.open, parts = excluded.parts,
    facts = excluded.facts
where kept.version < excluded.version
returning split_part(new.key, ':', 2)::uuid as subject_id, new.audience, new.version, not new.open, false as part
"""

_KEEP_DONE = """
insert into home_done as kept (person_id, kind, subject_id, part_id, version, done)
select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::bigint[], $6::boolean[])
    as new(person_id, kind, subject_id, part_id, version, done)
where not exists (select from erased_person gone where gone.person_id = new.person_id)
order by person_id, kind, subject_id, part_id
on conflict (person_id, kind, subject_id, part_id) do update set version = excluded.version, done = excluded.done
where kept.version < excluded.version
returning new.subject_id, 'person:' || new.person_id as audience, null::bigint as version,
          new.done and new.part_id = new.subject_id, true as part
"""

_CLOSE = """
update home_item as kept set
    version = gone.version, open = kept.open and gone.becomes is not null, kind = coalesce(gone.becomes, kept.kind),
    since = gone.since, due_at = null, expires_at = gone.expires_at
from unnest($1::text[], $2::bigint[], $3::timestamptz[], $4::timestamptz[], $5::text[])
    as gone(key, version, since, expires_at, becomes)
where kept.key = gone.key and kept.version < gone.version
returning kept.subject_id, kept.audience, kept.version, not kept.open, false as part
"""

Kept = TypeVar("Kept", Item, Done, Gone)


async def project_home(session: AsyncSession, batch: Sequence[Received[Any]], *, shown: Shown) -> None:
    """Put on homes what the events show, remember what is done by them, and log for whom that changed something."""
    changes = [change for each in batch for change in shown(each.event, each.version, each.time)]
    items = _newest((change.key, change) for change in changes if isinstance(change, Item))
    done = _newest((change[:4], change) for change in changes if isinstance(change, Done))
    gone = _newest((change.key, change) for change in changes if isinstance(change, Gone))
    connection = await raw(session)
    await write_about_people(connection)
    if items:
        rows = [
            (*each[:-2], "{" + ",".join(map(str, each.parts)) + "}", orjson.dumps(each.facts).decode())
            for each in items
        ]
        kept = await connection.fetch(_KEEP_ITEMS, *columns(rows))
        await change_log.write(connection, "home_change", (change_log.Row("home", *row) for row in kept))
    for statement, each in ((_KEEP_DONE, done), (_CLOSE, gone)):
        if each:
            kept = await connection.fetch(statement, *columns(each))
            await change_log.write(connection, "home_change", (change_log.Row("home", *row) for row in kept))


def _newest(changes: Iterable[tuple[Any, Kept]]) -> list[Kept]:
    newest: dict[Any, Kept] = {}
    for key, change in changes:
        if key not in newest or newest[key].version < change.version:
            newest[key] = change
    return list(newest.values())


HANDLERS: Mapping[type[Event], Handler] = {
    event: handler
    for state, shown in SHOWN.items()
    for event, handler in handlers_of(state, partial(project_home, shown=shown)).items()
}
