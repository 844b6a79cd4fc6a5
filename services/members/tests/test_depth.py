"""How deep the tree may grow: what would stand deeper than a path can reach is refused, added or moved."""

from typing import Any
from uuid import UUID

import pytest_asyncio

import orgtree
from database import Database, new_id, raw

from .provinces import Province


def row(parent_id: UUID, **fields: Any) -> dict[str, Any]:
    values = {"organisation_id": str(new_id()), "parent_id": str(parent_id), "kind": "committee", "level": "province"}
    return {"name": "中共某省委员会", **values, **fields}


def chain(parent_id: UUID, length: int) -> list[dict[str, Any]]:
    """Make rows that each stand below the one before."""
    rows = [row(parent_id)]
    while len(rows) < length:
        rows.append(row(UUID(rows[-1]["organisation_id"])))
    return rows


async def unplaced(database: Database) -> int:
    async with database.read() as session:
        return int(await (await raw(session)).fetchval("select count(*) from organisation where path is null"))


@pytest_asyncio.fixture
async def deepest(province: Province) -> UUID:
    """An organisation that stands as deep as one can; the root is the first level."""
    rows = chain(orgtree.ROOT_ID, orgtree.MAX_DEPTH - 1)
    accepted = await province.registrar.post("/organisation-imports", {"rows": rows})
    assert accepted.json() == {"added": orgtree.MAX_DEPTH - 1, "unchanged": 0}
    return UUID(rows[-1]["organisation_id"])


async def test_an_import_names_the_row_that_stands_too_deep_and_does_nothing(
    province: Province, database: Database
) -> None:
    rows = [row(orgtree.ROOT_ID), *chain(orgtree.ROOT_ID, orgtree.MAX_DEPTH + 1)]
    refused = await province.registrar.post("/organisation-imports", {"rows": rows})
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/rows_refused")
    [error] = refused.json()["rows"]
    assert (error["row"], error["rule"], error["requirement"]) == (
        orgtree.MAX_DEPTH + 1,
        "organisation_structure",
        "deepest",
    )
    assert str(orgtree.MAX_DEPTH) in error["en"]
    async with database.read() as session:
        assert await (await raw(session)).fetchval("select count(*) from registered_organisation") == 1


async def test_nothing_is_established_below_the_deepest_level(
    province: Province, deepest: UUID, database: Database
) -> None:
    refused = await province.registrar.post("/organisations", row(deepest))
    assert (refused.status_code, refused.json()["rows"][0]["requirement"]) == (422, "deepest")
    assert await unplaced(database) == 0


async def test_nothing_moves_where_it_or_what_stands_below_it_would_be_too_deep(
    province: Province, deepest: UUID, published: Any, database: Database
) -> None:
    above, below = chain(orgtree.ROOT_ID, 2)
    await province.registrar.post("/organisation-imports", {"rows": [above, below]})
    async with database.read() as session:
        ancestors = await orgtree.ancestors_of(session, deepest)
    before = len(await published("organisation"))
    path = f"/organisations/{above['organisation_id']}/moves"
    for parent in (deepest, ancestors[-2]):
        refused = await province.registrar.post(path, {"parent_id": str(parent)})
        problem = refused.json()
        assert (refused.status_code, problem["rule"], problem["requirement"]) == (
            409,
            "organisation_structure",
            "deepest",
        )
        assert problem["details"] == {"deepest": orgtree.MAX_DEPTH}
    assert await unplaced(database) == 0
    assert len(await published("organisation")) == before
    moved = await province.registrar.post(path, {"parent_id": str(ancestors[-3])})
    assert moved.status_code == 200
