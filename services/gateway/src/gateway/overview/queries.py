"""Reads figures from the kept rollups, small groups hidden the same way for everyone who asks."""

import asyncio
from collections.abc import Collection, Mapping
from datetime import date
from itertools import pairwise
from uuid import UUID

from sqlalchemy import func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

import orgtree
from gateway.overview.figures import Figures, figures_on
from gateway.overview.rules import Control, control_on, left_to_itself
from gateway.overview.schemas import FigureOut, OverviewOut
from suppression import hidden_in, hidden_of_root

LAST = "~"
"""Stands after every code of a division: for what has none of its own."""


def official(code: str | None, name: str, organisation_id: UUID) -> tuple[str, str, UUID]:
    """Give where an organisation stands among those beside it: as in the list of divisions, whatever its figures."""
    return code or LAST, name, organisation_id


async def overview_of(session: AsyncSession, organisation_id: UUID, *, figures: Figures, day: date) -> OverviewOut:
    """Give the figures of one organisation, which must exist."""
    organisation = orgtree.organisation.c
    query = select(organisation.name, organisation.level, organisation.division_code)
    wanted = query.where(organisation.organisation_id == organisation_id)
    name, level, code = (await session.execute(wanted)).one()
    totals, hidden = await _shown_of(session, organisation_id, control_on(figures, day))
    return OverviewOut(
        organisation_id=organisation_id,
        organisation_name=name,
        level=level,
        division_code=code,
        figures=_figures(totals, hidden, figures, day),
    )


async def overviews_of_children(
    session: AsyncSession,
    organisation_id: UUID,
    *,
    figures: Figures,
    day: date,
    after: tuple[str, str, UUID] | None,
    limit: int,
) -> list[OverviewOut]:
    """Give the figures of an organisation's children, as `official` has them, at most `limit` after the cursor.

    What is hidden is decided over all children, so that no two pages can be subtracted from each other.
    """
    control = control_on(figures, day)
    whole, hidden_of_whole = await _shown_of(session, organisation_id, control)
    rows, hidden = await _shown_of_children(session, organisation_id, whole, hidden_of_whole, control)
    organisation = orgtree.organisation.c
    coded = func.coalesce(organisation.division_code, LAST)
    place = (coded.collate("C"), organisation.name.collate("C"), organisation.organisation_id)
    query = (
        select(organisation.organisation_id, organisation.name, organisation.level, organisation.division_code)
        .where(organisation.parent_id == organisation_id)
        .order_by(*place)
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(*place) > tuple_(*after))
    return [
        OverviewOut(
            organisation_id=child,
            organisation_name=name,
            level=level,
            division_code=code,
            figures=_figures(rows.get(child, {}), hidden.get(child, frozenset()), figures, day),
        )
        for child, name, level, code in (await session.execute(query)).all()
    ]


async def _shown_of(
    session: AsyncSession, organisation_id: UUID, control: Control
) -> tuple[Mapping[str, int], frozenset[str]]:
    """Give one organisation's totals, and which of them are hidden: found by going down from the root, by tables."""
    path = await orgtree.ancestors_of(session, organisation_id) or (organisation_id,)
    whole = await orgtree.totals(session, path[0])
    people = await orgtree.people(session, path[0])
    hidden = hidden_of_root(control.row_of(whole, people), control.structure)
    for parent, child in pairwise(path):
        rows, hidden_of_rows = await _shown_of_children(session, parent, whole, hidden, control)
        whole, hidden = rows.get(child, {}), hidden_of_rows.get(child, frozenset())
    return whole, hidden


async def _shown_of_children(
    session: AsyncSession, parent: UUID, whole: Mapping[str, int], hidden_of_whole: frozenset[str], control: Control
) -> tuple[dict[UUID, dict[str, int]], dict[UUID, frozenset[str]]]:
    """Give the totals of an organisation's children, and which of them are hidden."""
    rows = await orgtree.totals_of_children(session, parent)
    people = await orgtree.people_of_children(session, parent)
    itself = control.row_of(left_to_itself(whole, rows), await orgtree.own_people(session, parent))
    children = {child: control.row_of(totals, people.get(child, {})) for child, totals in rows.items()}
    # In a thread: it takes time that grows faster than the number of children.
    return rows, await asyncio.to_thread(hidden_in, children, itself, hidden_of_whole, control.structure)


def _figures(totals: Mapping[str, int], hidden: Collection[str], figures: Figures, day: date) -> list[FigureOut]:
    return [
        FigureOut(
            measure=measure,
            value=None if measure in hidden else totals.get(measure, 0),
            suppressed=measure in hidden,
            formula_zh=version.parameters.zh,
            formula_en=version.parameters.en,
            formula_holds_from=version.holds_from,
        )
        for measure, version in figures_on(figures, day).items()
    ]
