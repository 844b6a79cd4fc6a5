"""The journey: an officer, a branch secretary, an away member and a villager, through one door."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from china_time import CHINA
from database import new_id
from standalone.seed import ADMINISTRATOR
from standalone.seed.sign_in import SignedIn
from tests.flows.conftest import System
from tests.flows.people import Person, confirming, first_of, within

FRESH_SECONDS = 5.0
SMALL_GROUP = 5
PASSWORD = "seven-lanterns-over-the-ford"


async def test_an_officer_sees_the_own_subtree_and_nothing_beside_it(system: System) -> None:
    async with system.person("officer.demo") as officer, system.person("officer.neighbour") as neighbour:
        county, beside = system.seeded.county_id, system.seeded.neighbour_id
        assert (await officer.get(f"/v1/organisations/{county}"))["name"]
        for path in (f"/v1/organisations/{beside}", f"/v1/overview/{beside}", f"/v1/organisations/{beside}/children"):
            assert (await officer.get(path, status=404))["type"] == "/problems/not_found"
        for path in (f"/v1/organisations/{county}", f"/v1/organisations/{system.seeded.branch_id}"):
            await neighbour.get(path, status=404)
        members = await officer.get("/v1/members", organisation_id=system.seeded.branch_id, limit=200)
        person_id = members["items"][0]["person_id"]
        await officer.get(f"/v1/members/{person_id}", purpose="contact")
        await neighbour.get(f"/v1/members/{person_id}", status=404, purpose="contact")
        seen = await neighbour.get("/v1/organisations", limit=200)
        assert str(system.seeded.branch_id) not in {each["organisation_id"] for each in seen["items"]}


async def test_a_member_of_no_office_is_refused_what_only_officers_may(system: System) -> None:
    async with system.person("member.demo") as member:
        refused = await member.get("/v1/members", organisation_id=system.seeded.branch_id, status=403)
        assert refused["type"] == "/problems/permission_missing"
        await member.get(f"/v1/overview/{system.seeded.county_id}", status=403)


async def test_an_away_member_attends_and_is_counted_once_with_the_paper_list(system: System) -> None:
    async with (
        system.person("secretary.demo") as secretary,
        system.person("away.demo") as away,
        system.person("officer.demo") as officer,
    ):
        meeting = await secretary.post("/v1/activities", a_meeting(system))
        path = f"/v1/activities/{meeting['activity_id']}"
        key = f"activity.attend:{meeting['activity_id']}"
        await within(FRESH_SECONDS, is_on_the_home_of(away, key))

        shown = await away.get("/v1/home", section="todo", include="subject")
        [item] = [each for each in shown["items"] if each["key"] == key]
        assert (item["subject"]["title"], item["subject"]["join_url"]) == (meeting["title"], meeting["join_url"])
        [action] = [each for each in item["actions"] if each["body"]["mode"] == "remote"]
        attended = await away.ask(action["method"], action["href"], action["body"], status=201)
        here = system.person_id("away.demo")
        sheet = await secretary.post(f"{path}/attendance-sheets", {"person_ids": [here]}, status=200)
        assert (sheet["recorded"], sheet["refused"]) == (1, 0)
        assert sheet["rows"][0]["participation_id"] == attended["participation_id"]
        parts = await secretary.get(f"{path}/participations")
        mine = [part for part in parts["items"] if part["person_id"] == here]
        assert [(part["mode"], part["provenance"]) for part in mine] == [("remote", ["online", "paper"])]

        await within(FRESH_SECONDS, is_gone_from_the_home_of(away, key))
        await officer.get(path)


async def test_a_lesson_that_needs_help_reaches_the_branch(system: System) -> None:
    async with system.person("member.demo") as member, system.person("secretary.demo") as secretary:
        courses = await member.get("/v1/courses")
        course = await member.get(f"/v1/courses/{courses['items'][0]['course_id']}")
        lesson = course["lessons"][0]["lesson_id"]
        await member.put(f"/v1/lessons/{lesson}/progress", {"progress": 60})
        again = await member.put(f"/v1/lessons/{lesson}/progress", {"progress": 40})
        assert again["progress"] == 60
        await member.post(f"/v1/lessons/{lesson}/understanding", {"understanding": "need_help"}, status=200)

        async def called_for_help() -> bool:
            home = await secretary.home()
            return any(item["kind"] == "learner.help" and item["subject_id"] == lesson for item in home.values())

        await within(FRESH_SECONDS, called_for_help)
        await member.post(f"/v1/lessons/{lesson}/understanding", {"understanding": "understood"}, status=200)
        await within(FRESH_SECONDS, negated(called_for_help))


async def test_a_case_is_routed_answered_and_confirmed(system: System) -> None:
    async with (
        system.person("villager.demo") as villager,
        system.person("secretary.demo") as secretary,
        system.person("officer.neighbour") as neighbour,
    ):
        body = {
            "case_id": str(new_id()),
            "category": "roads",
            "organisation_id": str(system.seeded.branch_id),
            "text": "村口的路坏了",
        }
        case = await villager.post("/v1/cases", body)
        assert case["responsible_id"] == str(system.seeded.branch_id)
        assert datetime.fromisoformat(case["due_at"]) > datetime.now(UTC) + timedelta(days=4)
        assert (await villager.post("/v1/cases", body))["case_id"] == case["case_id"]
        path, key = f"/v1/cases/{case['case_id']}", case["case_id"]
        await neighbour.get(path, status=404)

        await within(FRESH_SECONDS, is_on_the_home_of(secretary, f"case.answer:{key}"))
        await secretary.post(f"{path}/answers", {"text": "已派人维修"})
        await within(FRESH_SECONDS, is_gone_from_the_home_of(secretary, f"case.answer:{key}"))

        async def to_be_confirmed() -> bool:
            item = (await villager.home()).get(f"case.confirm:{key}")
            return item is not None and item["kind"] == "case.confirm"

        await within(FRESH_SECONDS, to_be_confirmed)
        confirmed = await villager.post(f"{path}/confirmation", status=200)
        assert confirmed["status"] == "confirmed"
        await within(FRESH_SECONDS, is_gone_from_the_home_of(villager, f"case.confirm:{key}"))


async def test_the_county_sees_all_of_it_within_five_seconds_and_no_small_group(system: System) -> None:
    async with (
        system.person("secretary.demo") as secretary,
        system.person("member.demo") as member,
        system.person("away.demo") as away,
        system.person("villager.demo") as villager,
        system.person("officer.demo") as officer,
    ):
        county, branch = system.seeded.county_id, system.seeded.branch_id
        before = await officer.figures(county)
        assert (before["members.all"] or 0) > 1000
        attended = await a_meeting_with_its_sheet(system, secretary)
        async with further_members(system, secretary, 2) as others:
            # On a system that ran before, they may have asked already.
            need_help = await lessons_that_need_help(member, away, secretary, *others)
        reported = await cases_of(villager, member, away, secretary, officer, branch=branch)
        assert min(attended, reported) >= SMALL_GROUP
        expected = {
            "activities.scheduled": (before["activities.scheduled"] or 0) + 1,
            "participation.attended": (before["participation.attended"] or 0) + attended,
            "learning.need_help": need_help,
            "cases.received": (before["cases.received"] or 0) + reported,
        }

        async def counted() -> bool:
            now = await officer.figures(county)
            return all((now[measure] or 0) >= count for measure, count in expected.items())

        await within(FRESH_SECONDS, counted)
        for organisation in (county, branch):
            figures = await officer.figures(organisation)
            people = {measure: value for measure, value in figures.items() if not measure.startswith("activities.")}
            assert any(people.values())
            assert not [measure for measure, value in people.items() if 0 < (value or 0) < SMALL_GROUP]


async def a_meeting_with_its_sheet(system: System, secretary: Person) -> int:
    """Schedule a meeting and enter its paper list; give how many attended."""
    meeting = await secretary.post("/v1/activities", a_meeting(system))
    members = await secretary.get("/v1/members", organisation_id=system.seeded.branch_id, limit=12)
    people = [member["person_id"] for member in members["items"]]
    sheet = {"person_ids": people}
    await secretary.post(f"/v1/activities/{meeting['activity_id']}/attendance-sheets", sheet, status=200)
    return len(people)


async def lessons_that_need_help(*people: Person) -> int:
    """Let people need help with every lesson there is; give how often that was."""
    asked = 0
    for person in people:
        for course in (await person.get("/v1/courses"))["items"]:
            for lesson in (await person.get(f"/v1/courses/{course['course_id']}"))["lessons"]:
                path = f"/v1/lessons/{lesson['lesson_id']}/understanding"
                await person.post(path, {"understanding": "need_help"}, status=200)
                asked += 1
    return asked


@asynccontextmanager
async def further_members(system: System, secretary: Person, count: int) -> AsyncIterator[list[Person]]:
    """Sign in as other members of the branch, who have an account from now on."""
    listed = await secretary.get("/v1/members", organisation_id=system.seeded.branch_id, limit=200)
    known = {system.person_id(f"{name}.demo") for name in ("secretary", "member", "away")}
    strangers = [member["person_id"] for member in listed["items"] if member["person_id"] not in known][:count]
    async with AsyncExitStack() as stack:
        administrator = await stack.enter_async_context(system.person(ADMINISTRATOR))
        officer = await stack.enter_async_context(system.person("officer.demo"))
        people = []
        for person_id in strangers:
            username, place = f"learner.{person_id[-12:]}", system.seeded.branch_id
            body = {"username": username, "password": first_of(PASSWORD), "organisation_id": str(place)}
            opened = await administrator.answer("POST", "/v1/accounts", {**body, "person_id": person_id})
            assert opened.status_code in (201, 409), opened.text  # 409 on a system that ran before
            first = first_of(PASSWORD) if opened.status_code == 201 else None
            confirmed = confirming(officer, person_id)
            signed_in = SignedIn(system.url, username, PASSWORD, first_password=first, confirmed=confirmed)
            person = Person(system.url, username, PASSWORD, signed_in=signed_in)
            people.append(await stack.enter_async_context(person))
        yield people


async def cases_of(*people: Person, branch: UUID) -> int:
    """Let each report a thing to the branch; give how many that were."""
    for number, person in enumerate(people, start=1):
        text = f"第 {number} 盏路灯坏了"
        await person.post("/v1/cases", {"category": "roads", "organisation_id": str(branch), "text": text})
    return len(people)


async def test_a_repeated_command_is_done_once(system: System) -> None:
    async with system.person("secretary.demo") as secretary:
        body = a_meeting(system)
        first = await secretary.post("/v1/activities", body)
        second = await secretary.post("/v1/activities", body)
        assert first == second


async def test_loading_the_county_again_adds_nothing(system: System) -> None:
    again = await system.load()
    assert (again.organisations.added, again.members.added) == (0, 0)
    assert again.members.unchanged == system.seeded.members.added + system.seeded.members.unchanged


@pytest.mark.parametrize("path", ["/v1/home", "/v1/members", "/v1/activities", "/v1/courses", "/v1/cases"])
async def test_without_a_token_every_door_is_closed_in_the_same_words(system: System, path: str) -> None:
    async with httpx.AsyncClient(base_url=system.url, trust_env=False, timeout=20) as client:
        answer = await client.get(path, headers={"Accept-Language": "en"})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"] == "Sign in first."


def a_meeting(system: System) -> dict[str, Any]:
    starts_at = datetime.now(CHINA).replace(microsecond=0)
    return {
        "activity_id": str(new_id()),
        "organisation_id": str(system.seeded.branch_id),
        "kind": "branch_meeting",
        "title": f"支部党员大会 {uuid4().hex[:6]}",
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(hours=2)).isoformat(),
        "join_url": "https://meeting.example.org/branch",
    }


def is_on_the_home_of(person: Person, key: str) -> Callable[[], Awaitable[bool]]:
    async def there() -> bool:
        return key in await person.home()

    return there


def is_gone_from_the_home_of(person: Person, key: str) -> Callable[[], Awaitable[bool]]:
    return negated(is_on_the_home_of(person, key))


def negated(condition: Callable[[], Awaitable[bool]]) -> Callable[[], Awaitable[bool]]:
    async def not_so() -> bool:
        return not await condition()

    return not_so
