"""Taking part over HTTP: one fact per person and activity, whatever the number and order of its sources."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from database import Database, new_id, raw
from testkit.county import BRANCH, COUNTY, SECOND_BRANCH, TOWNSHIP, County, Person

from .meetings import NOW, scheduled

LAST_WEEK: dict[str, Any] = {"starts_in": -75.0, "hours": 3.0}  # ended three days ago


@pytest.fixture
def secretary(county: County) -> Person:
    return county.person(("branch_secretary", BRANCH))


async def sheet(secretary: Person, held: str, *people: Person, **headers: str) -> httpx.Response:
    body = {"person_ids": [str(person.person_id) for person in people]}
    return await secretary.post(f"{held}/attendance-sheets", body, **headers)


async def participations(secretary: Person, held: str) -> list[dict[str, Any]]:
    return await secretary.all(f"{held}/participations")


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


async def test_a_paper_list_and_an_online_check_in_make_one_attendance(
    county: County, secretary: Person, published: Any
) -> None:
    held, member = await scheduled(secretary), await county.member(BRANCH)
    online = await member.post(f"{held}/attendances", {})
    assert online.status_code == 201
    paper = await sheet(secretary, held, member)
    assert paper.json()["recorded"] == 1
    [one] = await participations(secretary, held)
    assert one["participation_id"] == online.json()["participation_id"] == paper.json()["rows"][0]["participation_id"]
    assert (one["provenance"], one["mode"]) == (["online", "paper"], "remote")
    events = await published("participation")
    assert [(what, version, data["provenance"]) for what, _, version, data in events] == [
        ("attended.v1", 1, ["online"]),
        ("attended.v1", 2, ["online", "paper"]),
    ]


async def test_paper_first_and_online_later_make_one_attendance_too(county: County, secretary: Person) -> None:
    held, member = await scheduled(secretary), await county.member(BRANCH)
    await sheet(secretary, held, member)
    answer = await member.post(f"{held}/attendances", {"mode": "remote"})
    assert (answer.json()["provenance"], answer.json()["mode"]) == (["paper", "online"], "in_person")


async def test_whoever_registered_and_attended_is_one_participation(
    county: County, secretary: Person, published: Any
) -> None:
    held, member = await scheduled(secretary), await county.member(BRANCH)
    registered = [await member.post(f"{held}/registrations") for _ in range(2)]
    assert [answer.status_code for answer in registered] == [201, 201]
    attended = (await member.post(f"{held}/attendances", {"mode": "in_person"})).json()
    assert registered[0].json()["participation_id"] == attended["participation_id"]
    assert attended["registered_at"] is not None
    events = await published("participation")
    assert [(what, version, data["registered"], data["attended"]) for what, _, version, data in events] == [
        ("registered.v1", 1, True, False),
        ("attended.v1", 2, True, True),
    ]


async def test_who_attended_can_still_register_and_keeps_the_attendance(county: County, secretary: Person) -> None:
    held, member = await scheduled(secretary), await county.member(BRANCH)
    await member.post(f"{held}/attendances", {})
    answer = (await member.post(f"{held}/registrations")).json()
    assert (answer["provenance"], answer["registered_at"] is not None) == (["online"], True)


async def test_the_caller_sees_the_own_part_in_an_activity(county: County, secretary: Person) -> None:
    held, member = await scheduled(secretary), await county.member(BRANCH)
    assert (await member.get(held)).json()["my_participation"] is None
    await member.post(f"{held}/registrations")
    assert (await member.get(held)).json()["my_participation"]["registered_at"] is not None


async def test_five_hundred_check_ins_at_once_count_each_person_once(
    county: County, secretary: Person, published: Any
) -> None:
    held = await scheduled(secretary)
    people = [county.person() for _ in range(250)]
    await county.affiliate(BRANCH, *(person.person_id for person in people))
    reports = [person.post(f"{held}/attendances", {}) for person in people for _ in range(2)]
    answers = await asyncio.gather(*reports, sheet(secretary, held, *people))
    assert {answer.status_code for answer in answers} == {200, 201}
    found = (await secretary.get(f"{held}/participations", limit=200)).json()
    assert len(found["items"]) == 200
    versions: dict[str, list[int]] = {}
    for _, _, version, data in await published("participation"):
        versions.setdefault(data["participation_id"], []).append(version)
    assert len(versions) == 250
    assert all(numbers == [1, 2] for numbers in versions.values())


async def test_each_source_stands_on_record_with_who_reported_it(
    county: County, secretary: Person, database: Database
) -> None:
    held, member = await scheduled(secretary), await county.member(BRANCH)
    await member.post(f"{held}/attendances", {})
    await sheet(secretary, held, member)
    await sheet(secretary, held, member)
    async with database.read() as session:
        rows = await (await raw(session)).fetch("select source, reported_by from attendance_report order by source")
    assert [tuple(row) for row in rows] == [("online", member.person_id), ("paper", secretary.person_id)]


async def test_a_helper_who_checks_somebody_in_is_named_as_the_source(
    county: County, secretary: Person, database: Database
) -> None:
    held, helper = await scheduled(secretary), new_id()
    member = await county.member(BRANCH, actor=helper, actions=["activities.attend"])
    answer = await member.post(f"{held}/attendances", {"mode": "in_person"})
    assert answer.json()["provenance"] == ["helper"]
    async with database.read() as session:
        row = await (await raw(session)).fetchrow(
            "select told->>'actor', told->>'onbehalfof' "
            "from outbox, cast(convert_from(payload, 'UTF8') as jsonb) as told "
            "where type like '%attended%'"
        )
    assert tuple(row) == (str(helper), str(member.person_id))


async def test_a_sheet_takes_what_is_right_and_names_what_is_not(county: County, secretary: Person) -> None:
    held = await scheduled(secretary)
    inside, outside, nobody = await county.member(BRANCH), await county.member(SECOND_BRANCH), county.person()
    answer = (await sheet(secretary, held, inside, outside, nobody, inside)).json()
    assert (answer["recorded"], answer["refused"]) == (1, 2)
    assert [(row["person_id"], row["problem"]) for row in answer["rows"]] == [
        (str(inside.person_id), None),
        (str(outside.person_id), "not_a_member_there"),
        (str(nobody.person_id), "not_a_member_there"),
    ]


async def test_a_sheet_of_more_than_five_hundred_names_is_refused(county: County, secretary: Person) -> None:
    held = await scheduled(secretary)
    assert problem(await sheet(secretary, held, *[county.person()] * 501)) == (422, "invalid")


async def test_a_sheet_is_entered_by_whoever_may_record_and_within_remit(county: County, secretary: Person) -> None:
    held, member = await scheduled(secretary), await county.member(BRANCH)
    assert problem(await sheet(member, held, member)) == (403, "permission_missing")
    other = county.person(("branch_secretary", SECOND_BRANCH))
    assert (await sheet(other, held, member)).status_code == 404


async def test_members_below_the_holder_take_part_and_others_do_not_even_see_it(county: County) -> None:
    township = county.person(("branch_secretary", TOWNSHIP))
    held = await scheduled(township, TOWNSHIP)
    member = await county.member(SECOND_BRANCH)
    assert (await member.post(f"{held}/attendances", {})).status_code == 201
    stranger = county.person()
    for what in ("attendances", "registrations"):
        assert (await stranger.post(f"{held}/{what}", {} if what == "attendances" else None)).status_code == 404


async def test_staff_who_see_an_activity_are_told_that_they_are_no_members_there(
    county: County, secretary: Person
) -> None:
    held, officer = await scheduled(secretary), county.person(("officer", COUNTY))
    assert problem(await officer.post(f"{held}/attendances", {})) == (403, "not_a_member_there")
    assert problem(await officer.post(f"{held}/registrations")) == (403, "not_a_member_there")


async def test_whoever_attended_and_then_moved_away_stays_counted(county: County, secretary: Person) -> None:
    held, member = await scheduled(secretary), await county.member(BRANCH)
    await member.post(f"{held}/attendances", {})
    await county.affiliate(SECOND_BRANCH, member.person_id, version=2)
    again = await member.post(f"{held}/attendances", {})
    assert (again.status_code, again.json()["affiliation_id"]) == (201, str(BRANCH))


async def test_participation_ends_with_the_closing(county: County, secretary: Person) -> None:
    held, member = await scheduled(secretary), await county.member(BRANCH)
    await secretary.post(f"{held}/closing")
    refused = (409, "activity_closed")
    assert problem(await member.post(f"{held}/attendances", {})) == refused
    assert problem(await member.post(f"{held}/registrations")) == refused
    assert problem(await sheet(secretary, held, member)) == refused


async def test_an_away_member_takes_part_after_the_meeting_too(county: County, secretary: Person) -> None:
    held, member = await scheduled(secretary, **LAST_WEEK), await county.member(BRANCH)
    answer = await member.post(f"{held}/attendances", {"mode": "remote"})
    assert answer.json()["provenance"] == ["online"]
    assert problem(await member.post(f"{held}/registrations")) == (409, "activity_over")


async def test_a_check_in_kept_offline_is_accepted_late_with_its_own_time(county: County, secretary: Person) -> None:
    held, member = await scheduled(secretary, **LAST_WEEK), await county.member(BRANCH)
    said_at = NOW - timedelta(hours=74)
    answer = await member.post(f"{held}/attendances", {"mode": "in_person", "attended_at": said_at.isoformat()})
    assert answer.status_code == 201
    assert answer.json()["provenance"] == ["late_sync"]
    assert answer.json()["attended_at"] == said_at.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(
    ("times", "said_hours_ago", "requirement"),
    [
        ({"starts_in": 2.0}, None, "too_early"),
        ({"starts_in": -200.0}, 199.0, "too_late"),
        ({"starts_in": -75.0}, 90.0, "outside_the_activity"),
        ({"starts_in": -1.0}, -1.0, "outside_the_activity"),
    ],
)
async def test_a_rule_refuses_by_its_name_what_its_window_does_not_hold(
    county: County, secretary: Person, times: dict[str, Any], said_hours_ago: float | None, requirement: str
) -> None:
    held, member = await scheduled(secretary, **times), await county.member(BRANCH)
    body = {} if said_hours_ago is None else {"attended_at": (NOW - timedelta(hours=said_hours_ago)).isoformat()}
    answer = await member.post(f"{held}/attendances", body)
    assert problem(answer) == (409, "refused_by_rule")
    assert (answer.json()["rule"], answer.json()["requirement"]) == ("attendance_window", requirement)
    assert answer.json()["source"]


async def test_the_list_of_participants_is_for_staff_within_remit(county: County, secretary: Person) -> None:
    held = await scheduled(secretary)
    attending, registered = await county.member(BRANCH), await county.member(BRANCH)
    await attending.post(f"{held}/attendances", {})
    await registered.post(f"{held}/registrations")
    listed = await secretary.all(f"{held}/participations", attended=False)
    assert [item["person_id"] for item in listed] == [str(registered.person_id)]
    assert problem(await attending.get(f"{held}/participations")) == (403, "permission_missing")
    outside = county.person(("officer", SECOND_BRANCH))
    assert (await outside.get(f"{held}/participations")).status_code == 404
