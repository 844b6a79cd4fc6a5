"""Reads figures from the kept rollups, small groups hidden the same way for everyone who asks."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from itertools import pairwise
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

import orgtree
from gateway.overview.figures import Formula
from gateway.overview.rules import Row, hidden_in, hidden_of_root
from gateway.overview.schemas import FigureOut, OverviewOut
from rulebook import Rule


async def overview_of(
    session: AsyncSession, organisation_id: UUID, *, figures: Mapping[str, Rule[Formula]], day: date
) -> OverviewOut:
    """Give the figures of one organisation, which must exist."""
    organisation = orgtree.organisation.c
    query = select(organisation.name, organisation.level).where(organisation.organisation_id == organisation_id)
    name, level = (await session.execute(query)).one()
    totals, hidden = await _shown_of(session, organisation_id)
    return OverviewOut(
        organisation_id=organisation_id,
        organisation_name=name,
        level=level,
        figures=_figures(totals, hidden, figures, day),
    )


async def overviews_of_children(
    session: AsyncSession,
    organisation_id: UUID,
    *,
    figures: Mapping[str, Rule[Formula]],
    day: date,
    after: UUID | None,
    limit: int,
) -> list[OverviewOut]:
    """Give the figures of an organisation's children, by id, at most `limit` after the cursor.

    What is hidden is decided over all children, so that no two pages can be subtracted from each other.
    """
    whole, hidden_of_whole = await _shown_of(session, organisation_id)
    rows = await orgtree.totals_of_children(session, organisation_id)
    hidden = hidden_in(whole, rows, hidden_of_whole)
    organisation = orgtree.organisation.c
    query = (
        select(organisation.organisation_id, organisation.name, organisation.level)
        .where(organisation.parent_id == organisation_id)
        .order_by(organisation.organisation_id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(organisation.organisation_id > after)
    return [
        OverviewOut(
            organisation_id=child,
            organisation_name=name,
            level=level,
            figures=_figures(rows.get(child, {}), hidden.get(child, frozenset()), figures, day),
        )
        for child, name, level in (await session.execute(query)).all()
    ]


async def _shown_of(session: AsyncSession, organisation_id: UUID) -> tuple[Row, frozenset[str]]:
    """Give one organisation's totals, and which of them are hidden: found by going down from the root, by tables."""
    organisation = orgtree.organisation.c
    query = select(organisation.ancestors).where(organisation.organisation_id == organisation_id)
    path: Sequence[UUID] = (await session.execute(query)).scalar_one() or [organisation_id]
    whole: Row = await orgtree.totals(session, path[0])
    hidden = hidden_of_root(whole)
    for parent, child in pairwise(path):
        rows = await orgtree.totals_of_children(session, parent)
        hidden = hidden_in(whole, rows, hidden).get(child, frozenset())
        whole = rows.get(child, {})
    return whole, hidden


def _figures(
    totals: Mapping[str, int], hidden: Collection[str], figures: Mapping[str, Rule[Formula]], day: date
) -> list[FigureOut]:
    shown = []
    for measure, rule in figures.items():
        version = rule.as_of(day)
        shown.append(
            FigureOut(
                measure=measure,
                value=None if measure in hidden else totals.get(measure, 0),
                suppressed=measure in hidden,
                formula_zh=version.parameters.zh,
                formula_en=version.parameters.en,
                formula_holds_from=version.holds_from,
            )
        )
    return shown
