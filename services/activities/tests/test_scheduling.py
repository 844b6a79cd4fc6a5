"""Activities over HTTP: scheduled once, seen by those they concern, closed when they have begun."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from china_time import CHINA
from database import new_id
from testkit.county import BRANCH, COUNTY, OTHER_BRANCH, OTHER_COUNTY, SECOND_BRANCH, TOWNSHIP, County, Person

from .meetings import NOW, meeting, scheduled


@pytest.fixture
def secretary(county: County) -> Person:
    return county.person(("branch_secretary", BRANCH))


async def paths(reader: Person) -> set[str]:
    return {f"/activities/{item['activity_id']}" for item in await reader.all("/activities")}


async def test_a_secretary_schedules_a_meeting_and_says_so_without_its_title(secretary: Person, published: Any) -> None:
    answer = await secretary.post("/activities", meeting(place="村委会二楼", join_url="https://meet.example/1"))
    assert answer.status_code == 201
    activity = answer.json()
    assert answer.headers["location"] == f"/v1/activities/{activity['activity_id']}"
    assert (activity["title"], activity["status"], activity["join_url"]) == (
        "三季度党员大会",
        "scheduled",
        "https://meet.example/1",
    )
    [(what, _, version, data)] = await published("activity")
    assert (what, version) == ("scheduled.v1", 1)
    assert "title" not in data
    assert "agenda" not in data


async def test_the_same_meeting_under_its_id_is_scheduled_once(secretary: Person, published: Any) -> None:
    body = meeting(activity_id=str(new_id()))
    answers = await asyncio.gather(*(secretary.post("/activities", body) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len(await published("activity")) == 1


async def test_a_time_of_another_zone_is_answered_in_utc_the_first_time_too(secretary: Person) -> None:
    body = meeting(activity_id=str(new_id()))
    times = {
        name: datetime.fromisoformat(body[name]).astimezone(CHINA).isoformat() for name in ("starts_at", "ends_at")
    }
    answers = [(await secretary.post("/activities", {**body, **times})).json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0]["starts_at"].endswith("Z")


async def test_another_meeting_under_a_taken_id_is_refused(secretary: Person) -> None:
    body = meeting(activity_id=str(new_id()))
    await secretary.post("/activities", body)
    answer = await secretary.post("/activities", {**body, "title": "另一次会议"})
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/activity_id_taken")


async def test_an_idempotency_key_makes_a_meeting_without_an_id_repeatable(secretary: Person, published: Any) -> None:
    answers = [await secretary.post("/activities", meeting(), idempotency_key="k1") for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert len(await published("activity")) == 1


async def test_nobody_schedules_for_a_branch_outside_their_remit(secretary: Person) -> None:
    assert (await secretary.post("/activities", meeting(SECOND_BRANCH))).status_code == 404


async def test_who_lacks_the_permission_is_told_so(county: County) -> None:
    answer = await county.person(("officer", COUNTY)).post("/activities", meeting())
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/permission_missing")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"hours": 0}, "ends_before_it_starts"),
        ({"hours": 24 * 40}, "lasts_too_long"),
        ({"kind": "party"}, "invalid"),
        ({"join_url": "http://meet.example/1"}, "invalid"),
        ({"agenda": ["x"] * 51}, "invalid"),
        ({"status": "closed"}, "invalid"),
        ({"title": "党员\x00大会"}, "invalid"),
        ({"place": "村委会\ud800"}, "invalid"),
        ({"starts_at": "0001-01-01T00:00:00+08:00"}, "invalid"),
    ],
)
async def test_what_makes_no_activity_is_refused(secretary: Person, fields: dict[str, Any], problem: str) -> None:
    answer = await secretary.post("/activities", meeting(**fields))
    assert (answer.status_code, answer.json()["type"]) == (422, f"/problems/{problem}")
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_member_sees_what_the_own_branch_and_those_above_it_hold(county: County) -> None:
    staff = county.person(("branch_secretary", COUNTY), ("branch_secretary", OTHER_COUNTY))
    held = {place: await scheduled(staff, place) for place in (BRANCH, TOWNSHIP, SECOND_BRANCH, OTHER_BRANCH)}
    member = await county.member(BRANCH)
    assert await paths(member) == {held[BRANCH], held[TOWNSHIP]}
    seen = [(await member.get(held[place])).status_code for place in held]
    assert seen == [200, 200, 404, 404]


async def test_an_officer_sees_the_own_subtree_alone(county: County) -> None:
    staff = county.person(("branch_secretary", COUNTY), ("branch_secretary", OTHER_COUNTY))
    inside, outside = await scheduled(staff), await scheduled(staff, OTHER_BRANCH)
    officer = county.person(("officer", COUNTY))
    assert await paths(officer) == {inside}
    assert (await officer.get(outside)).status_code == 404


async def test_a_list_is_read_in_pages_from_the_latest_start(county: County, secretary: Person) -> None:
    held = [await scheduled(secretary, starts_in=hours) for hours in (1, 5, 3, 5, 2)]
    listed = await secretary.all("/activities")
    assert {f"/activities/{item['activity_id']}" for item in listed} == set(held)
    starts = [item["starts_at"] for item in listed]
    assert starts == sorted(starts, reverse=True)
    later = await secretary.all("/activities", starts_from=(NOW + timedelta(hours=3)).isoformat())
    assert len(later) == 3


async def test_activities_are_listed_by_their_ids_and_those_one_may_not_see_are_left_out(county: County) -> None:
    staff = county.person(("branch_secretary", COUNTY), ("branch_secretary", OTHER_COUNTY))
    held = [await scheduled(staff, place) for place in (BRANCH, BRANCH, TOWNSHIP, OTHER_BRANCH)]
    ids = [path.rpartition("/")[2] for path in held]
    member = await county.member(BRANCH)
    for reader in (member, await county.member(BRANCH, actor=new_id(), actions=["activities.register"])):
        listed = (await reader.get("/activities", activity_id=[*ids[1:], ids[1], str(new_id())])).json()["items"]
        assert sorted(item["activity_id"] for item in listed) == sorted(ids[1:3])
    refused = await member.get("/activities", activity_id=[str(new_id()) for _ in range(51)])
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/query/activity_id")
    assert refused.json()["errors"][0]["message"] == "最多 50 项。"


async def test_closing_is_told_once_and_makes_the_state_final(secretary: Person, published: Any) -> None:
    held = await scheduled(secretary)
    answers = [await secretary.post(f"{held}/closing") for _ in range(2)]
    assert [answer.json()["status"] for answer in answers] == ["closed", "closed"]
    assert [(what, version) for what, _, version, _ in await published("activity")] == [
        ("scheduled.v1", 1),
        ("closed.v1", 2),
    ]


async def test_a_meeting_that_has_not_begun_cannot_be_closed(secretary: Person) -> None:
    held = await scheduled(secretary, starts_in=1)
    answer = await secretary.post(f"{held}/closing")
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/not_yet_begun")


async def test_a_secretary_of_another_branch_cannot_close_it(county: County, secretary: Person) -> None:
    held = await scheduled(secretary)
    other = county.person(("branch_secretary", SECOND_BRANCH))
    assert (await other.post(f"{held}/closing")).status_code == 404
