"""A demonstration of the whole system: a real province's tree, made-up members, and people who can sign in."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import standalone
from standalone.refusals import CannotRun
from standalone.seed.api import Api, few_at_a_time, opened
from standalone.seed.authenticators import Authenticators
from standalone.seed.crowd import Crowd
from standalone.seed.demo import (
    CodeTo,
    Opening,
    Stage,
    bring_up,
    choose_branch,
    open_accounts,
    publish,
    schedule,
)
from standalone.seed.divisions import Division, Divisions, InvalidDivisions, read_divisions
from standalone.seed.loading import Loaded, load_members, load_organisations
from standalone.seed.people import People
from standalone.seed.progress import Watcher, shown
from standalone.seed.scenario import DemoPerson, InvalidScenario, Scenario, read_scenario
from standalone.seed.sign_in import Passwords
from standalone.seed.tree import Plan, organisation_of, plan, villages_below

__all__ = [
    "DEMO",
    "PROVINCE",
    "Authenticators",
    "InvalidDivisions",
    "InvalidScenario",
    "Passwords",
    "SeedResult",
    "SeededPerson",
    "Watcher",
    "seed",
    "shown",
]

DEMO = Path(standalone.__file__).parents[4] / "deploy" / "demo"
"""Where the checkout keeps the divisions and the scenario."""

DIVISIONS = "divisions-52.csv.gz"
SCENARIO = "scenario.toml"
PROVINCE = "province"
"""The scope that loads everything."""

ADMINISTRATOR, SECURITY, AUDITOR = "administrator", "security", "auditor"
"""Who opens accounts and approves roles, who grants them, and who reads the audits: never the same account."""


HASHED_AT_ONCE = 2
"""Passwords that identity checks at a time; more people who sign in would only wait there."""


@dataclass(frozen=True)
class SeededPerson:
    """Somebody who can sign in to the demonstration."""

    username: str
    title_zh: str
    title_en: str
    person_id: UUID


@dataclass(frozen=True)
class SeedResult:
    """What a run of the seed did, and where the demonstration plays."""

    organisations: Loaded
    members: Loaded
    people: tuple[SeededPerson, ...]
    county_id: UUID
    county_name: str
    neighbour_id: UUID
    branch_id: UUID
    seconds: float
    steps: dict[str, float] = field(default_factory=dict)


async def seed(
    gateway_url: str,
    *,
    administrators: Passwords,
    demonstration: Passwords,
    authenticators: Authenticators,
    watcher: Watcher,
    scope: str | None = None,
    folder: Path = DEMO,
    code_to: CodeTo | None = None,
) -> SeedResult:
    """Load a demonstration through the public API; a second run adds nothing.

    `administrators` are the passwords of the accounts which the first start opens, `demonstration` those of the people
    whose accounts are opened here; everybody begins with the first one and chooses the own one on the page, as people
    do. Who is in office signs in with a code of `authenticators` as well. An officer confirms the members, who put
    a phone on file where `code_to` gives the code that comes to it. `scope` is the six digits of a county,
    `PROVINCE` for everything, or None for the scenario's own county. Raises `CannotRun`, whose message is one
    line: for a file that is wrong, a password that is, and a request that is refused or not answered for a minute.
    """
    clock = _Clock()
    scenario, divisions = read_scenario(folder / SCENARIO), read_divisions(folder / DIVISIONS)
    county = _county(divisions, scenario.county if scope in {None, PROVINCE} else str(scope))
    neighbour = _next_county(divisions, county)
    generator = People()
    planned = _planned(divisions, scenario, county, neighbour, everything=scope == PROVINCE)
    chosen = choose_branch([b for b in planned.branches if b.county_code == county.code], generator)
    stage = Stage.of(
        scenario, county=organisation_of(county.code), neighbour=organisation_of(neighbour.code), chosen=chosen
    )
    async with opened(gateway_url) as http:
        registrar, officer = scenario.with_role("registrar"), scenario.with_role("officer")
        crowd = Crowd(http, gateway_url, stage, demonstration, authenticators, officer=officer.username)
        opener = await crowd.in_office(ADMINISTRATOR, administrators)
        granter = await crowd.in_office(SECURITY, administrators)
        opening = Opening(accounts=opener, roles=granter, id_of=crowd.id_of, first_password=demonstration.first)
        watcher.begin("registrar", 1)
        await open_accounts(opening, [registrar], stage, watcher)
        in_charge = await crowd.in_office(registrar.username)
        organisations = await load_organisations(in_charge, planned, watcher)
        clock.mark("organisations")
        members = await load_members(in_charge, planned.branches, generator, watcher)
        clock.mark("members")
        others = [person for person in scenario.people if person is not registrar]
        watcher.begin("people", len(others))
        await open_accounts(opening, others, stage, watcher)

        async def begin(person: DemoPerson) -> None:
            await crowd.begin(person.username, second_factor=person.second_factor, code_to=code_to)

        await begin(officer)
        await few_at_a_time([each for each in others if each is not officer], begin, at_once=HASHED_AT_ONCE)
        await crowd.in_office(AUDITOR, administrators)
        await _play(scenario, stage, in_charge, crowd.signed_in, watcher)
        clock.mark("scenario")
    return SeedResult(
        organisations=organisations,
        members=members,
        people=tuple(
            SeededPerson(person.username, person.title_zh, person.title_en, stage.people[person.username])
            for person in scenario.people
        ),
        county_id=organisation_of(county.code),
        county_name=county.name,
        neighbour_id=organisation_of(neighbour.code),
        branch_id=stage.places["branch"],
        seconds=clock.seconds,
        steps=clock.steps,
    )


async def _play(
    scenario: Scenario, stage: Stage, registrar: Api, signed_in: Callable[[str], Api], watcher: Watcher
) -> None:
    """Let everybody do what the scenario says, each as themselves."""
    parts = (scenario.courses, scenario.responsibilities, scenario.meetings, scenario.cases)
    watcher.begin("courses, meetings and cases", sum(map(len, parts)))
    await publish(registrar, scenario, stage, watcher)
    secretary = signed_in(scenario.with_role("branch_secretary").username)
    for meeting in scenario.meetings:
        await schedule(secretary, meeting, stage, now=datetime.now(UTC))
        watcher.advance()
    reporters = {username: signed_in(username) for username in {case.by for case in scenario.cases}}
    for case in scenario.cases:
        await bring_up(reporters[case.by], secretary, case, stage)
        watcher.advance()


def _planned(
    divisions: Divisions, scenario: Scenario, county: Division, neighbour: Division, *, everything: bool
) -> Plan:
    if everything:
        return plan(divisions, villages_below(divisions, divisions.province.code))
    beside = villages_below(
        divisions,
        neighbour.code,
        townships=scenario.neighbour.townships,
        each=scenario.neighbour.villages_of_each,
    )
    return plan(divisions, [*villages_below(divisions, county.code), *beside])


def _county(divisions: Divisions, code: str) -> Division:
    county = divisions.by_code.get(code)
    if county is None or county.level != "county":
        raise CannotRun(f"{code!r} is no county of {divisions.province.name}; give its six digits, or {PROVINCE!r}")
    if not villages_below(divisions, code):
        raise CannotRun(f"{county.name} has no villages in {DIVISIONS}; choose another county")
    return county


def _next_county(divisions: Divisions, county: Division) -> Division:
    """Give the county that follows in the same city, the first after the last."""
    counties = [each for each in divisions.children(county.parent_code) if villages_below(divisions, each.code)]
    return counties[(counties.index(county) + 1) % len(counties)]


class _Clock:
    """Seconds since it was made, and of each step that was marked."""

    def __init__(self) -> None:
        self._began = self._last = time.monotonic()
        self.steps: dict[str, float] = {}

    @property
    def seconds(self) -> float:
        """The seconds so far."""
        return time.monotonic() - self._began

    def mark(self, step: str) -> None:
        """Take note of how long the step took that ends now."""
        now = time.monotonic()
        self.steps[step] = now - self._last
        self._last = now
