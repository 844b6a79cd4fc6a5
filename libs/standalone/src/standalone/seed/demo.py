"""Opens the accounts of a demonstration's people and lets them do what the scenario says, each as themselves."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from china_time import CHINA
from standalone.demo_phone import number_of
from standalone.seed.api import Api, RequestRefused
from standalone.seed.people import People, Person, demo_id
from standalone.seed.progress import Watcher
from standalone.seed.scenario import At, Case, DemoPerson, Meeting, Scenario
from standalone.seed.tree import ROOT_ID, Branch

CodeTo = Callable[[str], Awaitable[str]]
"""Gives the code that reached a phone, by its number."""

WORKING_AGE = range(30, 59)


class Chosen(NamedTuple):
    """The branch a demonstration plays in, and its members who have a part, by the kind the scenario asks for."""

    branch: Branch
    members: Mapping[str, Person]


@dataclass(frozen=True)
class Stage:
    """Where a demonstration plays: its places, the person behind each username, the numbers that people sign in by.

    Who is no member has an id once the account is opened.
    """

    places: Mapping[At, UUID]
    people: dict[str, UUID]
    numbers: Mapping[str, str]

    @classmethod
    def of(cls, scenario: Scenario, *, county: UUID, neighbour: UUID, chosen: Chosen) -> "Stage":
        """Find every place and person of the scenario."""
        branch = chosen.branch.organisation.organisation_id
        people = {p.username: chosen.members[p.member].person_id for p in scenario.people if p.member}
        numbers = {person.username: number_of(position) for position, person in enumerate(scenario.people, start=1)}
        return cls({"root": ROOT_ID, "county": county, "branch": branch, "neighbour": neighbour}, people, numbers)


def choose_branch(branches: Sequence[Branch], generator: People) -> Chosen:
    """Choose the first branch that has somebody for every part."""
    for branch in branches:
        people = [person for person in branch.people(generator) if person.stage == "full" and person.smartphone]
        at_home = [person for person in people if not person.away and person.age in WORKING_AGE]
        away = [person for person in people if person.away]
        if len(at_home) > 1 and away:
            return Chosen(branch, {"secretary": at_home[0], "present": at_home[1], "away": away[0]})
    raise ValueError("no branch has a secretary, a member at home and one who is away")


class Opening(NamedTuple):
    """Who opens accounts and is the second person for roles, who grants these, and who somebody is by their name.

    `first_password` is what the accounts are opened with.
    """

    accounts: Api
    roles: Api
    id_of: Callable[[str], Awaitable[UUID]]
    first_password: str

    async def grant(self, role: dict[str, Any]) -> None:
        """Grant a role, and approve it where that takes two, unless an earlier run has. Raises `RequestRefused`."""
        made = await _unless_there(self.roles, "/v1/role-assignments", role, there={"assignment_exists"})
        if made is None or made["status"] == "proposed":
            approval = f"/v1/role-assignments/{role['assignment_id']}/approval"
            await _unless_there(self.accounts, approval, {}, there={"already_decided"})


async def open_accounts(opening: Opening, people: Sequence[DemoPerson], stage: Stage, watcher: Watcher) -> None:
    """Open each person's account and grant the role; who has them already keeps them. Raises `RequestRefused`."""
    for person in people:
        account = {
            "organisation_id": str(ROOT_ID),
            "username": person.username,
            "password": opening.first_password,
        }
        if person.member:
            account["person_id"] = str(stage.people[person.username])
        elif not person.second_factor:  # with a phone on file, an app takes a code to that phone first
            account["phone"] = stage.numbers[person.username]
        await _unless_there(opening.accounts, "/v1/accounts", account, there={"account_exists", "username_taken"})
        if not person.member:
            stage.people[person.username] = await opening.id_of(person.username)
        if person.role is not None and person.at is not None:
            place = stage.places[person.at]
            role = {
                "assignment_id": str(demo_id("role", person.username, person.role, place)),
                "person_id": str(stage.people[person.username]),
                "role": person.role,
                "organisation_id": str(place),
            }
            await opening.grant(role)
        watcher.advance()


async def put_phone_on_file(person: Api, number: str, code_to: CodeTo) -> None:
    """Let somebody put the number on file by which they sign in, with the code that comes to it."""
    named = await person.post("/v1/me/phone", {"phone": number})
    code = {"challenge_id": named["challenge_id"], "code": await code_to(number)}
    await person.post("/v1/me/phone/confirmation", code)


async def _unless_there(api: Api, path: str, body: dict[str, Any], *, there: set[str]) -> dict[str, Any] | None:
    try:
        return await api.post(path, body, heard=False)
    except RequestRefused as refused:
        if refused.code not in there:
            raise
        return None


async def publish(registrar: Api, scenario: Scenario, stage: Stage, watcher: Watcher) -> None:
    """Publish the courses and say who answers which cases. Raises `RequestRefused`."""
    for course in scenario.courses:
        course_id = demo_id("course", course.key)
        lessons = [
            {"lesson_id": str(demo_id("lesson", course.key, number)), **lesson.model_dump()}
            for number, lesson in enumerate(course.lessons)
        ]
        body: dict[str, Any] = {
            "course_id": str(course_id),
            "organisation_id": str(stage.places[course.at]),
            "title": course.title,
            "lessons": lessons,
        }
        await registrar.post("/v1/courses", body, heard=False)
        watcher.advance()
    for each in scenario.responsibilities:
        place = stage.places[each.at]
        body = {
            "responsibility_id": str(demo_id("responsibility", each.category, place, each.valid_from)),
            "category": each.category,
            "organisation_id": str(place),
            "responsible_id": str(stage.places[each.responsible]),
            "working_days": each.working_days,
            "valid_from": each.valid_from.isoformat(),
        }
        await registrar.post("/v1/responsibilities", body, heard=False)
        watcher.advance()


async def schedule(secretary: Api, meeting: Meeting, stage: Stage, *, now: datetime) -> None:
    """Set the branch's meeting down, unless an earlier run has. Raises `RequestRefused`."""
    branch = stage.places["branch"]
    activity_id = demo_id("activity", meeting.key, branch)
    if await secretary.get(f"/v1/activities/{activity_id}") is not None:
        return
    day = now.astimezone(CHINA) + timedelta(days=meeting.in_days)
    starts_at = day.replace(hour=meeting.hour, minute=0, second=0, microsecond=0)
    body = {
        "activity_id": str(activity_id),
        "organisation_id": str(branch),
        "kind": meeting.kind,
        "title": meeting.title,
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(minutes=meeting.minutes)).isoformat(),
        "place": meeting.place,
        "join_url": meeting.join_url,
        "agenda": list(meeting.agenda),
    }
    await secretary.post("/v1/activities", body, heard=False)


async def bring_up(reporter: Api, secretary: Api, case: Case, stage: Stage) -> None:
    """Open a case about the branch and answer it, as far as an earlier run has not. Raises `RequestRefused`."""
    branch = stage.places["branch"]
    case_id = demo_id("case", case.key, branch)
    stands = await reporter.get(f"/v1/cases/{case_id}")
    if stands is None:
        body = {
            "case_id": str(case_id),
            "category": case.category,
            "organisation_id": str(branch),
            "text": case.text,
        }
        stands = await reporter.post("/v1/cases", body, heard=False)
    if case.answer is not None and stands["status"] == "open":
        await secretary.post(f"/v1/cases/{case_id}/answers", {"text": case.answer}, heard=False)
