"""Keeps each aggregate's contribution, and adds what changed to the rollups up the tree."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

import orgtree
from contracts import Event, handlers_of
from database import raw
from gateway.contributions.rules import CONTRIBUTING, Contribution, contribution_of
from messaging import Handler, Received

_KEEP = """
insert into contribution as kept (aggregate, aggregate_id, version, organisation_id, measures)
select aggregate, aggregate_id, version, organisation_id, measures::jsonb
from unnest($1::text[], $2::uuid[], $3::bigint[], $4::uuid[], $5::text[])
    as new(aggregate, aggregate_id, version, organisation_id, measures)
order by aggregate, aggregate_id
on conflict (aggregate, aggregate_id) do update set
    version = excluded.version, organisation_id = excluded.organisation_id, measures = excluded.measures
where kept.version < excluded.version
returning old.organisation_id as old_organisation_id, old.measures::text as old_measures,
          new.organisation_id as new_organisation_id, new.measures::text as new_measures
"""

FACTS = """
select organisation_id, each.key as measure, sum(each.value::bigint)::bigint as value
from contribution cross join jsonb_each_text(measures) as each group by organisation_id, each.key
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
    columns: list[list[Any]] = [[], [], [], [], []]
    for received, contribution in latest.values():
        row = (
            received.event.aggregate,
            received.event.aggregate_id,
            received.version,
            contribution.organisation_id,
            orjson.dumps(contribution.measures).decode(),
        )
        for column, value in zip(columns, row, strict=True):
            column.append(value)
    changed = await (await raw(session)).fetch(_KEEP, *columns)
    deltas: Counter[tuple[UUID, str]] = Counter()
    for row in changed:
        for measure, count in orjson.loads(row["new_measures"]).items():
            deltas[row["new_organisation_id"], measure] += count
        for measure, count in orjson.loads(row["old_measures"] or "{}").items():
            deltas[row["old_organisation_id"], measure] -= count
    await orgtree.add_deltas(
        session, [(organisation, measure, delta) for (organisation, measure), delta in deltas.items() if delta]
    )


HANDLERS: Mapping[type[Event], Handler] = {
    event: handler for state in CONTRIBUTING for event, handler in handlers_of(state, project_contributions).items()
}
