"""Organisations by number, and what their places and totals must be, found the slow and obvious way."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from uuid import UUID

from contracts.members import (
    OrganisationEstablishedV1,
    OrganisationMovedV1,
    OrganisationRenamedV1,
    OrganisationState,
)
from database import Database, raw
from orgtree import KEPT, ROOT_ID, migrations

Totals = dict[tuple[UUID, str], int]
Noted = tuple[UUID, str, int, int | None]
"""A delta: organisation, measure, amount, and the person it is about."""


class Arrived(NamedTuple):
    """An event as a consumer hands it over, with no more than the tree may ask for."""

    event: object
    version: int


def number(value: int) -> UUID:
    """Give the id of organisation 1, 2, 3 …; 0 is the root."""
    return UUID(int=ROOT_ID.int + value)


def state(identity: int, parent: int, *, name: str = "organisation", version: int = 1) -> tuple[OrganisationState, int]:
    kinds = (OrganisationEstablishedV1, OrganisationMovedV1, OrganisationRenamedV1)
    kind = kinds[min(version, len(kinds)) - 1]
    event = kind(organisation_id=number(identity), parent_id=number(parent), kind="branch", level="village", name=name)
    return event, version


def naive_places(parents: Mapping[UUID, UUID | None]) -> dict[UUID, tuple[UUID, ...] | None]:
    """Give each organisation's ancestors, root first and itself last, or nothing where the way up does not end."""
    return {start: _way_up(start, parents) for start in parents}


def _way_up(start: UUID, parents: Mapping[UUID, UUID | None]) -> tuple[UUID, ...] | None:
    way = [start]
    while (parent := parents[way[-1]]) is not None:
        if parent in way or parent not in parents:
            return None
        way.append(parent)
    return tuple(reversed(way))


def naive_totals(own: Mapping[tuple[UUID, str], int], parents: Mapping[UUID, UUID | None]) -> Totals:
    """Give every total that is not 0."""
    places = naive_places(parents)
    found: Totals = {}
    for (organisation, measure), value in own.items():
        for ancestor in places.get(organisation) or ():
            found[ancestor, measure] = found.get((ancestor, measure), 0) + value
    return {key: value for key, value in found.items() if value}


async def clear(database: Database) -> None:
    """Empty every table, the root's row too: the tree must do with tables that were just made."""
    async with database.transaction() as session:
        await (await raw(session)).execute(f"truncate {', '.join(migrations.PROJECTION_TABLES)}")


async def kept_places(database: Database) -> dict[UUID, tuple[UUID, ...] | None]:
    """Read each organisation's ancestors, having seen that its path says the same."""
    async with database.read() as session:
        rows = await (await raw(session)).fetch("select organisation_id, path, ancestors from organisation")
    for row in rows:
        expected = None if row["ancestors"] is None else f"/{'/'.join(map(str, row['ancestors']))}/"
        assert row["path"] == expected
    return {row["organisation_id"]: row["ancestors"] and tuple(row["ancestors"]) for row in rows}


async def kept_totals(database: Database) -> Totals:
    """Read every total; none of them is 0."""
    async with database.read() as session:
        rows = await (await raw(session)).fetch("select organisation_id, measure, value from rollup")
    return {(row["organisation_id"], row["measure"]): row["value"] for row in rows}


async def everything(database: Database, schema: str = "public") -> dict[str, list[tuple[object, ...]]]:
    """Read what a rebuild must make the same, table by table."""
    tables = [table for table in migrations.PROJECTION_TABLES if table != "rollup_delta"]
    async with database.read() as session:
        connection = await raw(session)
        return {
            table: [tuple(row) for row in await connection.fetch(f"select * from {schema}.{table} as t order by t")]  # noqa: S608
            for table in tables
        }


async def kept_people(database: Database) -> dict[tuple[UUID, str], list[int]]:
    """Read every set of people; none of them is empty."""
    async with database.read() as session:
        rows = await (await raw(session)).fetch("select organisation_id, measure, people from rollup_people")
    return {(row["organisation_id"], row["measure"]): row["people"] for row in rows}


def naive_people(noted: Iterable[Noted], parents: Mapping[UUID, UUID | None]) -> dict[tuple[UUID, str], list[int]]:
    """Give the lowest eight people of every organisation who count for it or for one below it."""
    places = naive_places(parents)
    times: Counter[tuple[UUID, str, int]] = Counter()
    for organisation, measure, amount, person in noted:
        if person is not None:
            times[organisation, measure, person] += amount
    found: dict[tuple[UUID, str], set[int]] = {}
    for (organisation, measure, person), often in times.items():
        for ancestor in (places.get(organisation) or ()) if often > 0 else ():
            found.setdefault((ancestor, measure), set()).add(person)
    return {key: sorted(people)[:KEPT] for key, people in found.items()}


def sums(deltas: Iterable[Noted | tuple[UUID, str, int]]) -> Totals:
    """Add up deltas by organisation and measure."""
    found: Totals = {}
    for organisation, measure, delta, *_ in deltas:
        found[organisation, measure] = found.get((organisation, measure), 0) + delta
    return found
