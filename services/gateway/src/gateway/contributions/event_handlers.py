"""Keeps each aggregate's contribution, and adds what changed to the rollups up the tree."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy.ext.asyncio import AsyncSession

import orgtree
from contracts import Event, handlers_of
from database import columns, raw
from gateway.contributions.rules import CONTRIBUTING, WITHDRAWING, Contribution, contribution_of
from gateway.erasing import erase_people, write_about_people
from messaging import Handler, Received

_KEEP = """
insert into contribution as kept (aggregate, aggregate_id, version, organisation_id, measures, person)
select aggregate, aggregate_id, version, organisation_id, measures::jsonb,
    case when not exists (select from erased_person gone where gone.person_id = new.person_id)
        then person_mark(person_id) end
from unnest($1::text[], $2::uuid[], $3::bigint[], $4::uuid[], $5::text[], $6::uuid[])
    as new(aggregate, aggregate_id, version, organisation_id, measures, person_id)
order by aggregate, aggregate_id
on conflict (aggregate, aggregate_id) do update set
    version = excluded.version, organisation_id = excluded.organisation_id, measures = excluded.measures,
    person = excluded.person
where kept.version < excluded.version
returning old.organisation_id as old_organisation_id, old.measures::text as old_measures, old.person as old_person,
          new.organisation_id as new_organisation_id, new.measures::text as new_measures, new.person as new_person
"""

# The row stays, with its version: nothing older is added to the figures any more.
_WITHDRAW = """
update contribution set version = gone.version, measures = '{}', person = null
from unnest($1::text[], $2::uuid[], $3::bigint[]) as gone(aggregate, aggregate_id, version)
where contribution.aggregate = gone.aggregate and contribution.aggregate_id = gone.aggregate_id
  and contribution.version < gone.version
returning old.organisation_id as old_organisation_id, old.measures::text as old_measures, old.person as old_person,
          new.organisation_id as new_organisation_id, new.measures::text as new_measures, new.person as new_person
"""

_FORGET = """
update contribution set person = null where person in (select person_mark(gone) from unnest($1::uuid[]) as gone)
returning old.organisation_id as old_organisation_id, old.measures::text as old_measures, old.person as old_person,
          new.organisation_id as new_organisation_id, new.measures::text as new_measures, new.person as new_person
"""

FACTS = """
select organisation_id, each.key as measure, person, sum(each.value::bigint)::bigint as value
from contribution cross join jsonb_each_text(measures) as each group by organisation_id, each.key, person
"""
"""What each organisation counts for itself: the sum of its contributions, which the deltas noted here must come to."""


async def project_contributions(session: AsyncSession, batch: Sequence[Received[Any]]) -> None:
    """Replace the contribution of each aggregate by its newest, and pass the difference on to the rollups."""
    latest: dict[UUID, tuple[Received[Any], Contribution]] = {}
    for received in batch:
        contribution = contribution_of(received.event)
        known = latest.get(received.event.aggregate_id)
        if contribution is not None and (known is None or known[0].version < received.version):
            latest[received.event.aggregate_id] = (received, contribution)
    if not latest:
        return
    rows = [
        (
            received.event.aggregate,
            aggregate_id,
            received.version,
            contribution.organisation_id,
            orjson.dumps(contribution.measures).decode(),
            contribution.person_id,
        )
        for aggregate_id, (received, contribution) in latest.items()
    ]
    connection = await raw(session)
    await write_about_people(connection)
    await _pass_on(connection, await connection.fetch(_KEEP, *columns(rows)))


async def project_withdrawals(session: AsyncSession, batch: Sequence[Received[Any]]) -> None:
    """Take what each aggregate contributed out of the figures, and its person with it."""
    gone = [(each.event.aggregate, each.event.aggregate_id, each.version) for each in batch]
    connection = await raw(session)
    await write_about_people(connection)
    await _pass_on(connection, await connection.fetch(_WITHDRAW, *columns(gone)))


async def forget_people(session: AsyncSession, person_ids: Sequence[UUID]) -> None:
    """Let what these people contributed be about nobody; their tombstones stand, so that it stays so."""
    connection = await raw(session)
    await erase_people(connection)
    await _pass_on(connection, await connection.fetch(_FORGET, person_ids))


async def _pass_on(connection: asyncpg.Connection, changed: Sequence[asyncpg.Record]) -> None:
    """Note the difference between the old and the new contributions for the rollups."""
    amounts: Counter[tuple[UUID, str, int | None]] = Counter()
    for row in changed:
        for measure, count in orjson.loads(row["new_measures"]).items():
            amounts[row["new_organisation_id"], measure, row["new_person"]] += count
        for measure, count in orjson.loads(row["old_measures"] or "{}").items():
            amounts[row["old_organisation_id"], measure, row["old_person"]] -= count
    await orgtree.add_deltas(
        connection, [orgtree.Delta(place, measure, n, person) for (place, measure, person), n in amounts.items() if n]
    )


HANDLERS: Mapping[type[Event], Handler] = {
    **{event: project_contributions for state in CONTRIBUTING for event in handlers_of(state, None)},
    **dict.fromkeys(WITHDRAWING, project_withdrawals),
}
