"""Bulk import of organisations: all or none, errors by row, a second run adds nothing."""

from typing import Any
from uuid import UUID

import orgtree
from database import Database, new_id, raw

from .provinces import Province


def row(parent_id: UUID, **fields: Any) -> dict[str, Any]:
    values = {"organisation_id": new_id(), "parent_id": parent_id, "kind": "committee", "level": "county", **fields}
    return {"name": "中共某县委员会", **{k: str(v) if isinstance(v, UUID) else v for k, v in values.items()}}


async def count(database: Database, table: str) -> int:
    async with database.read() as session:
        return int(await (await raw(session)).fetchval(f"select count(*) from {table}"))  # noqa: S608 - ours


async def test_a_thousand_rows_in_one_request_and_a_second_run_adds_nothing(
    province: Province, database: Database, published: Any
) -> None:
    county = row(orgtree.ROOT_ID)
    rows = [county, *(row(UUID(county["organisation_id"]), level="township") for _ in range(999))]
    first = await province.registrar.post("/organisation-imports", {"rows": rows})
    assert first.json() == {"added": 1000, "unchanged": 0}
    assert await count(database, "organisation") == await count(database, "registered_organisation") == 1001
    second = await province.registrar.post("/organisation-imports", {"rows": [*rows[500:], row(orgtree.ROOT_ID)]})
    assert second.json() == {"added": 1, "unchanged": 500}
    events = await published("organisation")
    assert len(events) == 1001
    assert [UUID(each["organisation_id"]) for each in rows] == [key for _, key, _, _ in events[:1000]]


async def test_wrong_rows_are_told_by_number_and_rule_and_nothing_is_done(
    province: Province, database: Database
) -> None:
    there = row(orgtree.ROOT_ID)
    await province.registrar.post("/organisation-imports", {"rows": [there]})
    child = row(orgtree.ROOT_ID)
    rows = [
        row(orgtree.ROOT_ID),
        {**there, "name": "另一个名称"},
        row(UUID(child["organisation_id"])),
        child,
        child,
        row(orgtree.ROOT_ID, established_on="2100-01-01"),
        row(orgtree.ROOT_ID, kind="group"),
    ]
    refused = await province.registrar.post("/organisation-imports", {"rows": rows})
    assert refused.status_code == 422
    assert refused.json()["type"] == "/problems/rows_refused"
    assert [(error["row"], error["rule"], error["requirement"]) for error in refused.json()["rows"]] == [
        (2, "organisation_id", "taken"),
        (3, "parent_id", "unknown"),
        (5, "organisation_id", "repeated"),
        (6, "established_on", "future"),
        (7, "organisation_structure", "kind_below_kind"),
    ]
    assert await count(database, "registered_organisation") == 2
    assert await count(database, "outbox") == 1


async def test_a_row_that_exists_outside_the_remit_is_not_told_apart_from_another(province: Province) -> None:
    county, other = await province.establish(), await province.establish()
    hidden = row(other, level="township")
    await province.registrar.post("/organisation-imports", {"rows": [hidden]})
    registrar = province.person(("registrar", county))
    answers = [
        await registrar.post("/organisation-imports", {"rows": [body]})
        for body in (hidden, {**hidden, "parent_id": str(county)})
    ]
    assert {answer.json()["rows"][0]["requirement"] for answer in answers} == {"taken"}


async def test_unknown_fields_and_too_many_rows_are_refused(province: Province) -> None:
    mass = {**row(orgtree.ROOT_ID), "path": "/", "version": 7}
    assert (await province.registrar.post("/organisation-imports", {"rows": [mass]})).status_code == 422
    many = {"rows": [row(orgtree.ROOT_ID)] * 1001}
    assert (await province.registrar.post("/organisation-imports", many)).status_code == 422
