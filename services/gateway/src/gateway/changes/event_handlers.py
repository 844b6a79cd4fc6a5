"""Keeps the log of what changed for whom in the services."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts import Event, handlers_of
from database import raw
from gateway.change_log import Row, write
from gateway.changes.rules import TELLING, Told
from gateway.erasing import write_about_people
from messaging import Handler, Received


async def project_changes(
    session: AsyncSession, batch: Sequence[Received[Any]], *, telling: Callable[[Any], Iterator[Told]]
) -> None:
    """Write what the events change for whom, one after the other."""
    rows: dict[tuple[str, UUID, str], Row] = {}
    of_subject: dict[tuple[str, UUID], set[str]] = {}
    gone: dict[tuple[str, UUID], int] = {}
    for each in sorted(batch, key=attrgetter("version")):
        for told in telling(each.event):
            subject = told.scope, told.subject_id
            if not told.audiences:
                gone[subject] = each.version
            now = {
                audience: Row(*subject, audience, each.version, gone, told.part)
                for audience, gone in told.audiences.items()
            }
            if not told.part:
                seen = of_subject.setdefault(subject, set())
                left = (rows[*subject, audience] for audience in seen - now.keys())
                now |= {row.audience: row._replace(version=each.version, gone=True) for row in left if not row.gone}
                seen |= now.keys()
            rows |= {row[:3]: row for row in now.values()}
    connection = await raw(session)
    await write_about_people(connection)
    await write(connection, "change", rows.values(), gone=[(*subject, version) for subject, version in gone.items()])


HANDLERS: Mapping[type[Event], Handler] = {
    event: handler
    for state, telling in TELLING.items()
    for event, handler in handlers_of(state, partial(project_changes, telling=telling)).items()
}
