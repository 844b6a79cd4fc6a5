"""Two counties side by side: everybody who has a role in the one or the other, and things of the first."""

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from database import new_id
from tests.flows import people
from tests.flows.conftest import Outside, System
from tests.flows.matrix.operations import PERMISSIONS
from tests.flows.people import Person
from tests.flows.ways_in import (
    a_client,
    a_number,
    agree_to_client,
    ask_for_recovery,
    link_wechat,
    made_passkey,
    propose_phone,
    registered,
)

PASSWORD = "两县之间-不许越界-2026"
EXPENDABLE = frozenset({"expendable_self", "forgotten"})
"""Who does to their own account what everybody may do to theirs, and what ends it or their sign-in."""


@dataclass
class World:
    """`people` are signed in: `<role>.here`, `<role>.beside`, `member`, `stranger`; `things` are of the first county.

    `<role>.weak` is in office here too, and has proved one factor.

    `bodies` hold what somebody was given to send. `marks` are ids of the first county that nobody outside it may see.
    """

    system: System
    people: dict[str, Person] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    usernames: dict[str, str] = field(default_factory=dict)
    things: dict[str, Any] = field(default_factory=dict)
    bodies: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def marks(self) -> set[str]:
        named = ("branch_id", "person_id", "activity_id", "case_id", "assignment_id", "delegation_id", "recovery_id")
        return {self.things[name] for name in named}

    @staticmethod
    def password_of(name: str) -> str:
        """Give the password of somebody whose account was opened here."""
        return f"{PASSWORD}-{name}" if name == "expendable_self" else PASSWORD

    def person(self, name: str) -> Person:
        return self.people[name]

    @property
    def outside(self) -> Outside:
        """Whom the system speaks to outside, which a system of the tests' own always does."""
        assert self.system.outside is not None
        return self.system.outside


@asynccontextmanager
async def world_of(system: System) -> AsyncIterator[World]:
    """Open the accounts, grant the roles as the three administrators would, and let everybody do something."""
    async with AsyncExitStack() as stack:
        world = World(system)

        async def enter(name: str, username: str, password: str) -> Person:
            world.people[name] = await stack.enter_async_context(Person(system.url, username, password))
            return world.people[name]

        for name in ("administrator", "security", "auditor"):
            world.people[name] = await stack.enter_async_context(system.person(name))
        opener = world.people["administrator"]
        tag = secrets.token_hex(3)

        async def open_account(name: str, place: UUID, **more: str) -> str:
            username, password = f"{name}.{tag}", world.password_of(name)
            world.usernames[name] = username
            world.ids[name] = await people.open_account(
                opener, system.url, username=username, password=password, organisation_id=place, **more
            )
            await enter(name, username, password)
            return world.ids[name]

        county = system.seeded.county_id
        for role in PERMISSIONS:
            for where, place in (("here", county), ("beside", system.seeded.neighbour_id)):
                person_id = await open_account(f"{role}.{where}", place)
                await _grant(world, person_id, role, place)
                await world.people[f"{role}.{where}"].set_up_second_factor()
            await _grant(world, await open_account(f"{role}.weak", county), role, county)
        await open_account("stranger", system.seeded.neighbour_id)
        for name in ("deputy", "candidate", "expendable", "keyholder", "enroller", "linked", *sorted(EXPENDABLE)):
            await open_account(name, system.seeded.county_id)
        await world.people["keyholder"].set_up_second_factor()
        for name in ("locked_out", "helped"):
            world.things[f"phone of {name}"] = a_number()
            await open_account(name, system.seeded.county_id, phone=world.things[f"phone of {name}"])
        for name in ("member", "secretary"):
            world.people[name] = await stack.enter_async_context(system.person(f"{name}.demo"))
            world.ids[name] = system.person_id(f"{name}.demo")
        await _things(world)
        await _ways_in(world)
        yield world


async def _grant(world: World, person_id: str, role: str, place: UUID) -> dict[str, Any]:
    body = {"person_id": person_id, "role": role, "organisation_id": str(place)}
    made = await _approved(world, await world.person("security").post("/v1/role-assignments", body))
    world.things[f"assignment of {person_id}"] = made["assignment_id"]
    return made


async def _approved(world: World, made: dict[str, Any]) -> dict[str, Any]:
    """Have a second person approve a role that takes two."""
    if made["status"] == "granted":
        return made
    path = f"/v1/role-assignments/{made['assignment_id']}/approval"
    approved: dict[str, Any] = await world.person("administrator").post(path, status=200)
    return approved


async def _things(world: World) -> None:
    """Make one thing of each kind in the first county."""
    seeded, things = world.system.seeded, world.things
    things |= {
        "county_id": str(seeded.county_id),
        "beside_id": str(seeded.neighbour_id),
        "branch_id": str(seeded.branch_id),
        "organisation_id": str(seeded.branch_id),
        "person_id": world.ids["member"],
        "basis": "court_order",
    }
    begun = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10)
    for name, meeting in (
        ("activity_id", a_meeting(world)),
        ("going_on_id", a_meeting(world, starts_at=begun.isoformat())),
    ):
        things[name] = (await world.person("branch_secretary.here").post("/v1/activities", meeting))["activity_id"]
    case = {"category": "roads", "organisation_id": things["branch_id"], "text": "村口的路坏了"}
    things["case_id"] = (await world.person("member").post("/v1/cases", case))["case_id"]
    things["course_id"] = (await world.person("registrar.here").post("/v1/courses", a_course(world)))["course_id"]
    course = await world.person("registrar.here").get(f"/v1/courses/{things['course_id']}")
    things["lesson_id"] = course["lessons"][0]["lesson_id"]
    things["assignment_id"] = things[f"assignment of {world.ids['officer.here']}"]
    delegated = await world.person("officer.here").post(
        f"/v1/role-assignments/{things['assignment_id']}/delegations", {"person_id": world.ids["deputy"]}
    )
    things["delegation_id"] = (await _approved(world, delegated))["assignment_id"]
    proposal = {
        "person_id": world.ids["candidate"],
        "role": "audit_administrator",
        "organisation_id": things["county_id"],
    }
    for name in ("proposal_id", "other_proposal_id", "refused_proposal_id"):
        things[name] = (await world.person("security").post("/v1/role-assignments", proposal))["assignment_id"]
    for prefix in ("", "other_"):
        proposed = await world.person("administrator").post("/v1/clients", a_client())
        things[f"{prefix}client_id"] = proposed["client_id"]
        things[f"{prefix}client_proposal_id"] = proposed["proposal"]["proposal_id"]
    given = await world.person("administrator").post("/v1/account-lists", an_account_list(world))
    things["list_id"] = given["list_id"]
    things["expendable_id"] = world.ids["expendable"]
    things["newcomer_id"], world.bodies["newcomers_number"] = world.ids["candidate"], {"number": "00000000"}
    township = await world.person("registrar.here").post("/v1/organisations", an_organisation(world))
    things["moving_id"] = township["organisation_id"]
    for name in ("assist_id", "coded_assist_id"):
        asked = await world.person("branch_secretary.here").post("/v1/assisted-sessions", an_assistance(world))
        things[name] = asked["assist_id"]
    sessions = await world.person("deputy").get("/v1/me/sessions")
    things["session_id"] = sessions["items"][0]["session_id"]
    world.person("secretary").sign_in_anew()  # an export asks for a sign-in of the last minutes
    export = await world.person("secretary").post("/v1/me/exports", status=202)
    things["export_id"] = export["export_id"]
    held = {"person_id": world.ids["candidate"], "basis": things["basis"]}
    things["hold_id"] = (await world.person("security").post("/v1/legal-holds", held))["hold_id"]
    consents = await world.person("member").get("/v1/me/consents")
    things["purpose"] = next(each["purpose"] for each in consents["items"] if each["basis"] == "consent")


async def _ways_in(world: World) -> None:
    """Give people of the first county a passkey, a WeChat account, a client they agreed to, and a recovery."""
    things, url, outside = world.things, world.system.url, world.outside
    proposer, reviewer = world.person("administrator"), world.person("security")
    secret = {"token_endpoint_auth_method": "client_secret_basic"}
    things["secret_client_id"] = (await registered(proposer, reviewer, **secret))["client_id"]
    things["agreed_client_id"] = (await registered(proposer, reviewer))["client_id"]
    linked = world.usernames["linked"], world.password_of("linked")
    await agree_to_client(url, things["agreed_client_id"], *linked)
    await link_wechat(world.system, *linked)
    _, world.bodies["new_passkey"] = await made_passkey(world.person("keyholder"), url)
    passkey = await world.person("keyholder").post("/v1/me/passkeys", world.bodies["new_passkey"])
    things["passkey_id"] = passkey["passkey_id"]
    waiting = await ask_for_recovery(url, outside.phones, things["phone of locked_out"])
    assert waiting.status_code == 200, waiting.text
    under_way = await world.person("locked_out").get("/v1/recoveries")
    things["recovery_id"] = under_way["items"][0]["recovery_id"]
    things["replacement_id"], world.bodies["replacement_code"] = await replacement_for(world, "helped")
    things["confirmed_replacement_id"] = things["replacement_id"]
    world.bodies["phone_code"] = {"challenge_id": str(new_id()), "code": "000000"}
    world.bodies["app_code"] = world.bodies["consent_code"] = {"code": "000000"}


async def replacement_for(world: World, name: str) -> tuple[str, dict[str, str]]:
    """Have an officer of the first county propose a new phone for somebody; give its id, and what confirms it."""
    officer = world.person("officer.here")
    return await propose_phone(officer, world.outside.phones, world.ids[name])


def an_account_list(world: World) -> dict[str, Any]:
    place, name = world.things["county_id"], f"listed.{secrets.token_hex(5)}"
    return {
        "organisation_id": place,
        "rows": [{"person_id": str(new_id()), "organisation_id": place, "username": name}],
    }


def a_meeting(world: World, **changed: object) -> dict[str, Any]:
    starts_at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    return {
        "activity_id": str(new_id()),
        "organisation_id": world.things["branch_id"],
        "kind": "branch_meeting",
        "title": "支部党员大会",
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(hours=2)).isoformat(),
        **changed,
    }


def a_course(world: World, **changed: object) -> dict[str, Any]:
    lesson = {"title": "第一课", "kind": "text", "body": "正文"}
    return {"organisation_id": world.things["county_id"], "title": "党课", "lessons": [lesson], **changed}


def an_organisation(world: World) -> dict[str, Any]:
    return {
        "organisation_id": str(new_id()),
        "parent_id": world.things["county_id"],
        "kind": "committee",
        "level": "township",
        "name": "新设乡党委",
    }


def an_assistance(world: World) -> dict[str, Any]:
    return {
        "subject_id": world.ids["member"],
        "organisation_id": world.things["branch_id"],
        "actions": ["learning.study"],
        "evidence": "witness",
    }
