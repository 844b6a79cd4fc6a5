"""Whatever a client sends, it is at fault for it: no number, day, text or cursor ends in an error of ours."""

import pytest

from orgtree import ROOT_ID
from testkit.county import BRANCH, COUNTY, County
from testkit.nasty import refused_badly

from .cases import assign_roads, duty, opened


async def test_no_nasty_value_is_an_error_of_ours(county: County) -> None:
    roles = (("registrar", ROOT_ID), ("officer", ROOT_ID), ("branch_secretary", COUNTY))
    person = county.person(*roles)
    await assign_roads(person)
    case = await opened(person)
    known = {
        "organisation_id": str(BRANCH),
        "responsible_id": str(COUNTY),
        "category": "road",
        "case_id": case["case_id"],
        "status": "open",
    }
    assert await refused_badly(county.http, person.headers, known) == []


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
async def test_nobody_is_made_responsible_from_a_day_beyond_the_calendar(county: County, day: str) -> None:
    refused = await county.person(("registrar", ROOT_ID)).post(
        "/responsibilities", duty(ROOT_ID, ROOT_ID, valid_from=day)
    )
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/body/valid_from")
