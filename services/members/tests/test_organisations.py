"""The organisation tree over HTTP: established, renamed, moved, imported, and hidden from those it is not for."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

import orgtree
from china_time import day_of
from database import Database, new_id, raw

from .provinces import Province

TODAY = day_of(datetime.now(UTC))
LONG_AGO = date(2001, 7, 1)


def ids(items: list[dict[str, Any]]) -> set[UUID]:
    return {UUID(item["organisation_id"]) for item in items}


def row(parent_id: UUID, **fields: Any) -> dict[str, Any]:
    values = {"organisation_id": new_id(), "parent_id": parent_id, "kind": "committee", "level": "county", **fields}
    return {"name": "中共某县委员会", **{k: str(v) if isinstance(v, UUID | date) else v for k, v in values.items()}}


async def test_an_organisation_is_there_and_within_the_remit_as_soon_as_it_is_established(province: Province) -> None:
    county = await province.establish(division_code="520424", established_on=str(LONG_AGO))
    officer = province.person(("officer", county))
    answer = await officer.get(f"/organisations/{county}")
    assert answer.json() == {
        "organisation_id": str(county),
        "parent_id": str(orgtree.ROOT_ID),
        "kind": "committee",
        "level": "county",
        "name": "中共某县委员会",
        "division_code": "520424",
        "established_on": str(LONG_AGO),
        "dissolved_on": None,
        "version": 1,
    }


async def test_what_is_sent_again_with_its_id_adds_nothing(province: Province, published: Any) -> None:
    body = row(orgtree.ROOT_ID)
    answers = [await province.registrar.post("/organisations", body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json() == answers[1].json()
    assert len(await published("organisation")) == 1


async def test_two_requests_at_once_establish_one_organisation(province: Province, published: Any) -> None:
    body = row(orgtree.ROOT_ID)
    answers = await asyncio.gather(*(province.registrar.post("/organisations", body) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len(await published("organisation")) == 1


async def test_an_officer_sees_the_own_subtree_and_nothing_beside_or_above(province: Province) -> None:
    county, other = await province.establish(), await province.establish()
    township = await province.establish(county, level="township")
    elsewhere = await province.establish(other, level="township")
    officer = province.person(("officer", county))
    assert ids(await officer.all("/organisations")) == {county, township}
    assert ids(await officer.all(f"/organisations/{county}/children")) == {township}
    assert ids(await officer.all("/organisations", parent_id=str(other))) == set()
    for hidden in (orgtree.ROOT_ID, other, elsewhere, new_id()):
        assert (await officer.get(f"/organisations/{hidden}")).status_code == 404
        assert (await officer.get(f"/organisations/{hidden}/children")).status_code == 404


async def test_who_has_no_permission_is_told_so(province: Province) -> None:
    nobody = province.person()
    officer = province.person(("officer", orgtree.ROOT_ID))
    assert (await nobody.get("/organisations")).status_code == 403
    assert (await officer.post("/organisations", row(orgtree.ROOT_ID))).status_code == 403


async def test_lists_are_filtered_by_parent_level_and_kind(province: Province) -> None:
    county = await province.establish()
    branch = await province.branch(county)
    assert ids(await province.registrar.all("/organisations", level="branch")) == {branch}
    assert ids(await province.registrar.all("/organisations", kind="committee")) == {orgtree.ROOT_ID, county}
    assert ids(await province.registrar.all("/organisations", parent_id=str(county))) == {branch}


async def test_a_registrar_establishes_in_the_own_subtree_alone(province: Province) -> None:
    county, other = await province.establish(), await province.establish()
    registrar = province.person(("registrar", county))
    assert (await registrar.post("/organisations", row(county, level="township"))).status_code == 201
    refused = await registrar.post("/organisations", row(other, level="township"))
    assert refused.status_code == 422
    assert [(r["row"], r["rule"], r["requirement"]) for r in refused.json()["rows"]] == [(1, "parent_id", "unknown")]


async def test_a_move_takes_everything_below_along_and_the_old_tree_still_answers(province: Province) -> None:
    old, new = [await province.establish(established_on=str(LONG_AGO)) for _ in range(2)]
    township = await province.establish(old, level="township", established_on=str(LONG_AGO))
    branch = await province.establish(
        township, kind="branch", level="branch", name="红旗村党支部", established_on=str(LONG_AGO)
    )
    yesterday = TODAY - timedelta(days=1)
    moved = await province.registrar.post(
        f"/organisations/{township}/moves", {"parent_id": str(new), "on": str(yesterday)}
    )
    assert (moved.status_code, moved.json()["parent_id"], moved.json()["version"]) == (200, str(new), 2)
    of_old, of_new = province.person(("officer", old)), province.person(("officer", new))
    assert (await of_old.get(f"/organisations/{branch}")).status_code == 404
    assert ids(await of_new.all("/organisations")) == {new, township, branch}
    registrar = province.registrar
    before = {"as_of": str(yesterday - timedelta(days=1))}
    assert ids(await registrar.all(f"/organisations/{old}/children", **before)) == {township}
    assert ids(await registrar.all(f"/organisations/{new}/children", **before)) == set()
    assert ids(await registrar.all(f"/organisations/{old}/children")) == set()
    assert (await registrar.get(f"/organisations/{township}", params=before)).json()["parent_id"] == str(old)
    on_the_day = await registrar.get(f"/organisations/{township}", params={"as_of": str(yesterday)})
    assert on_the_day.json()["parent_id"] == str(new)


async def test_nothing_was_there_before_it_was_established(province: Province) -> None:
    county = await province.establish(established_on=str(LONG_AGO))
    eve = str(LONG_AGO - timedelta(days=1))
    assert (await province.registrar.get(f"/organisations/{county}", params={"as_of": eve})).status_code == 404


async def test_an_organisation_never_moves_below_itself(province: Province) -> None:
    county = await province.establish()
    township = await province.establish(county, level="county")
    refused = await province.registrar.post(f"/organisations/{county}/moves", {"parent_id": str(township)})
    assert (refused.status_code, refused.json()["requirement"]) == (409, "no_cycle")
    itself = await province.registrar.post(f"/organisations/{county}/moves", {"parent_id": str(county)})
    assert itself.json()["requirement"] == "no_cycle"


async def test_two_moves_at_once_make_no_cycle(province: Province, database: Database) -> None:
    one, two = await province.establish(), await province.establish()
    there = province.registrar.post(f"/organisations/{one}/moves", {"parent_id": str(two)})
    back = province.registrar.post(f"/organisations/{two}/moves", {"parent_id": str(one)})
    answers = await asyncio.gather(there, back)
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    async with database.read() as session:
        lost = await (await raw(session)).fetchval("select count(*) from organisation where path is null")
    assert lost == 0


@pytest.mark.parametrize(
    ("on", "requirement"),
    [(TODAY + timedelta(days=1), "not_in_future"), (LONG_AGO - timedelta(days=1), "after_what_holds")],
)
async def test_a_move_has_a_day_between_the_last_change_and_today(
    province: Province, on: date, requirement: str
) -> None:
    new = await province.establish()
    county = await province.establish(established_on=str(LONG_AGO))
    refused = await province.registrar.post(f"/organisations/{county}/moves", {"parent_id": str(new), "on": str(on)})
    assert (refused.status_code, refused.json()["requirement"]) == (409, requirement)


async def test_a_registrar_moves_only_from_and_to_what_is_in_charge(province: Province) -> None:
    mine, other = await province.establish(), await province.establish()
    township = await province.establish(mine, level="township")
    theirs = await province.establish(other, level="township")
    registrar = province.person(("registrar", mine))
    assert (await registrar.post(f"/organisations/{theirs}/moves", {"parent_id": str(mine)})).status_code == 404
    refused = await registrar.post(f"/organisations/{township}/moves", {"parent_id": str(other)})
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/parent_unknown")


async def test_the_root_stays_and_can_be_renamed(province: Province, published: Any) -> None:
    county = await province.establish()
    registrar = province.registrar
    stays = await registrar.post(f"/organisations/{orgtree.ROOT_ID}/moves", {"parent_id": str(county)})
    assert (stays.status_code, stays.json()["type"]) == (409, "/problems/root_stays")
    body = {"name": "中共贵州省委员会", "division_code": "52"}
    renamed = await registrar.post(f"/organisations/{orgtree.ROOT_ID}/renames", body)
    assert (renamed.json()["name"], renamed.json()["version"]) == ("中共贵州省委员会", 1)
    again = await registrar.post(f"/organisations/{orgtree.ROOT_ID}/renames", body)
    assert again.json()["version"] == 1
    assert [(what, version) for what, key, version, _ in await published("organisation") if key == orgtree.ROOT_ID] == [
        ("renamed.v1", 1)
    ]


async def test_names_of_a_day_are_kept_and_a_correction_of_the_same_day_replaces(province: Province) -> None:
    county = await province.establish(established_on=str(LONG_AGO), name="旧名委员会")
    for name in ("错名委员会", "新名委员会"):
        answer = await province.registrar.post(f"/organisations/{county}/renames", {"name": name})
        assert answer.status_code == 200
    then = await province.registrar.get(f"/organisations/{county}", params={"as_of": str(TODAY - timedelta(days=1))})
    assert then.json()["name"] == "旧名委员会"
    assert (await province.registrar.get(f"/organisations/{county}")).json()["name"] == "新名委员会"


async def test_every_event_carries_the_resulting_state_with_versions_without_gaps(
    province: Province, database: Database, published: Any
) -> None:
    county, other = await province.establish(), await province.establish()
    township = await province.establish(county, level="township")
    await province.registrar.post(f"/organisations/{township}/renames", {"name": "新名"})
    await province.registrar.post(f"/organisations/{township}/moves", {"parent_id": str(other)})
    await province.registrar.post(f"/organisations/{township}/renames", {"division_code": "520424100"})
    events = [event for event in await published("organisation") if event[1] == township]
    assert [version for _, _, version, _ in events] == [1, 2, 3, 4]
    async with database.read() as session:
        register = await (await raw(session)).fetchrow(
            "select * from registered_organisation where organisation_id = $1", township
        )
        local = await (await raw(session)).fetchrow("select * from organisation where organisation_id = $1", township)
    last = events[-1][3]
    for place in (register, local):
        assert {field: str(place[field]) for field in last} == {field: str(value) for field, value in last.items()}
        assert place["version"] == 4


async def test_a_branch_stands_at_the_lowest_level_and_a_group_below_a_branch(province: Province) -> None:
    branch = await province.branch()
    refused = {
        "kind_below_kind": row(branch, kind="committee", level="branch"),
        "level_of_kind": row(orgtree.ROOT_ID, kind="branch", level="village"),
        "level_below_level": row(await province.establish(level="township"), level="county"),
    }
    for requirement, body in refused.items():
        answer = await province.registrar.post("/organisations", body)
        assert [r["requirement"] for r in answer.json()["rows"]] == [requirement]
    group = await province.registrar.post("/organisations", row(branch, kind="group", level="branch"))
    assert group.status_code == 201
