"""Two officers in Chromium: one sees of the area what the system holds, the other approves what the first asked for."""

import secrets
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.flows.conftest import System
from tests.portal.conftest import Performed, Seen, journeyed
from tests.portal.happenings import proposed

pytestmark = pytest.mark.browser

HIDDEN = "不显示"


@pytest_asyncio.fixture(scope="module")
async def waiting(system: System) -> dict[str, str]:
    """Let an officer propose a phone and an administrator give a list; give what they are known by."""
    place = str(system.seeded.county_id)
    row = {"person_id": str(uuid4()), "organisation_id": place, "username": f"listed.{secrets.token_hex(5)}"}
    async with system.person("administrator") as administrator:
        given = await administrator.post("/v1/account-lists", {"organisation_id": place, "rows": [row]})
    told = {"place": place, "list": given["list_id"], "listed": row["username"]}
    return {**told, **await proposed(system)}


@pytest_asyncio.fixture(scope="module")
async def seen(perform: Performed, waiting: dict[str, str]) -> Seen:
    return await journeyed(perform, "officers.mjs", **waiting)


async def test_places_stand_in_the_order_of_divisions_and_what_is_hidden_is_never_none(
    seen: Seen, waiting: dict[str, str], system: System
) -> None:
    boards = seen["looks at the area"]["boards"]
    async with system.person("officer.demo") as officer:
        registered = await officer.get(f"/v1/organisations/{waiting['place']}/children", limit=200)
        told = await officer.get(f"/v1/overview/{waiting['place']}/children", limit=200)
    names = [each["name"] for each in sorted(registered["items"], key=lambda each: each["division_code"])]
    figures = {
        (child["organisation_name"], figure["measure"]): figure["value"]
        for child in told["items"]
        for figure in child["figures"]
    }
    assert set(boards) == {measure for _, measure in figures}
    for measure, tiles in boards.items():
        assert [tile["name"] for tile in tiles] == names
        for tile in tiles:
            value = figures[tile["name"], measure]
            assert tile["hatched"] == (HIDDEN in tile["said"]) == (value is None)
            if value is not None:
                assert tile["said"].split()[0] == f"{value:,}"
    assert None in figures.values()  # of what is hidden there was some


async def test_a_place_is_reached_by_keys_and_says_where_it_is(seen: Seen) -> None:
    here = seen["looks at the area"]
    assert here["crumbs"][-1] == here["reached"] == next(iter(here["boards"].values()))[1]["name"]


async def test_every_figure_says_how_it_is_counted(seen: Seen) -> None:
    assert all("怎么算的" in group for group in seen["looks at the area"]["groups"])


async def test_nobody_approves_what_they_asked_for(seen: Seen) -> None:
    own = seen["one of two"]["own"]
    assert "您提的，等别人批。" in own["text"]
    assert own["buttons"] == []


async def test_a_list_is_seen_before_it_is_refused(seen: Seen, waiting: dict[str, str], system: System) -> None:
    here = seen["one of two"]
    assert [waiting["listed"] in row for row in here["rows"]] == [True]
    assert here["refused"].startswith("您没同意。")
    async with system.person("administrator") as administrator:
        assert (await administrator.get(f"/v1/account-lists/{waiting['list']}"))["status"] == "refused"


async def test_the_second_officer_approves_with_a_network(seen: Seen, waiting: dict[str, str], system: System) -> None:
    here = seen["two of two"]
    assert here["theirs"]["buttons"] == ["同意"]  # a phone is not refused: it lapses
    assert here["offline"]["buttons"] == []
    assert here["approved"].startswith("您同意了。")
    async with system.person("officer.demo") as officer:
        listed = await officer.get("/v1/phone-replacements", limit=50)
    found = next(each for each in listed["items"] if each["replacement_id"] == waiting["replacement"])
    assert (found["status"], found["approved_by"]) == ("approved", system.person_id("secretary.demo"))
