"""The dated responsibility table over HTTP: no category without an owner, nothing assigned twice."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from china_time import day_of
from database import new_id
from orgtree import ROOT_ID
from testkit.county import BRANCH, COUNTY, OTHER_COUNTY, SECOND_BRANCH, TOWNSHIP, County, Person

from .cases import assign, assign_roads, duty, opened, problem

TODAY = day_of(datetime.now(UTC))


@pytest.fixture
def registrar(county: County) -> Person:
    return county.person(("registrar", ROOT_ID))


async def test_a_category_without_an_owner_for_the_whole_tree_cannot_be_saved(registrar: Person) -> None:
    assert problem(await registrar.post("/responsibilities", duty(COUNTY, COUNTY))) == (422, "category_without_owner")
    await assign(registrar, ROOT_ID, ROOT_ID)
    await assign(registrar, COUNTY, COUNTY)


async def test_a_place_has_no_owner_before_the_whole_tree_has_one(registrar: Person) -> None:
    await assign(registrar, ROOT_ID, ROOT_ID, valid_from="2026-03-01")
    answer = await registrar.post("/responsibilities", duty(COUNTY, COUNTY, valid_from="2026-02-28"))
    assert problem(answer) == (422, "category_without_owner")


async def test_the_same_assignment_under_its_id_is_made_once(registrar: Person) -> None:
    body = duty(ROOT_ID, ROOT_ID, responsibility_id=str(new_id()))
    answers = await asyncio.gather(*(registrar.post("/responsibilities", body) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert len(await registrar.all("/responsibilities")) == 1


@pytest.mark.parametrize("changed", [{"responsible_id": str(COUNTY)}, {"responsibility_id": str(new_id())}])
async def test_a_second_owner_from_the_same_day_is_refused(registrar: Person, changed: dict[str, Any]) -> None:
    body = duty(ROOT_ID, ROOT_ID, responsibility_id=str(new_id()))
    await registrar.post("/responsibilities", body)
    assert problem(await registrar.post("/responsibilities", {**body, **changed})) == (409, "responsibility_taken")


async def test_assigning_needs_the_permission_and_both_organisations_within_remit(
    county: County, registrar: Person
) -> None:
    await assign(registrar, ROOT_ID, ROOT_ID)
    officer = county.person(("officer", ROOT_ID))
    assert problem(await officer.post("/responsibilities", duty(COUNTY, COUNTY))) == (403, "permission_missing")
    own = county.person(("registrar", COUNTY))
    assert (await own.post("/responsibilities", duty(COUNTY, OTHER_COUNTY))).status_code == 404
    assert (await own.post("/responsibilities", duty(OTHER_COUNTY, COUNTY))).status_code == 404
    assert (await own.post("/responsibilities", duty(COUNTY, TOWNSHIP))).status_code == 201


@pytest.mark.parametrize("fields", [{"working_days": 0}, {"working_days": 91}, {"category": "路灯"}, {"owner": "x"}])
async def test_what_makes_no_responsibility_is_refused(registrar: Person, fields: dict[str, Any]) -> None:
    assert problem(await registrar.post("/responsibilities", duty(ROOT_ID, ROOT_ID, **fields))) == (422, "invalid")


async def test_everyone_signed_in_reads_who_is_responsible(county: County, registrar: Person) -> None:
    await assign_roads(registrar)
    await assign(registrar, ROOT_ID, ROOT_ID, category="water")
    villager = county.person()
    assert len(await villager.all("/responsibilities")) == 3
    categories = await villager.all("/responsibilities", organisation_id=str(ROOT_ID))
    assert {item["category"] for item in categories} == {"road", "water"}
    assert [item["organisation_id"] for item in await villager.all("/responsibilities", category="water")] == [
        str(ROOT_ID)
    ]


async def test_a_case_goes_to_the_nearest_organisation_responsible(county: County, registrar: Person) -> None:
    await assign_roads(registrar)
    await assign(registrar, BRANCH, TOWNSHIP)
    villager = county.person()
    routed = [(await opened(villager, place))["responsible_id"] for place in (BRANCH, SECOND_BRANCH, OTHER_COUNTY)]
    assert routed == [str(TOWNSHIP), str(COUNTY), str(ROOT_ID)]


async def test_a_case_is_judged_by_the_table_of_its_day(county: County, registrar: Person) -> None:
    await assign_roads(registrar)
    await assign(registrar, COUNTY, TOWNSHIP, valid_from=str(TODAY + timedelta(days=2)))
    await assign(registrar, BRANCH, BRANCH, valid_from=str(TODAY + timedelta(days=2)))
    villager = county.person()
    assert (await opened(villager))["responsible_id"] == str(COUNTY)
    await assign(registrar, COUNTY, TOWNSHIP, valid_from=str(TODAY - timedelta(days=1)))
    assert (await opened(villager))["responsible_id"] == str(TOWNSHIP)
