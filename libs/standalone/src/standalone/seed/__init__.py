"""A demonstration of the whole system: a real province's tree, made-up members, and people who can sign in."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import standalone
from standalone.refusals import CannotRun
from standalone.seed.api import Api, opened
from standalone.seed.authenticators import Authenticators, set_up
from standalone.seed.demo import Opening, Stage, bring_up, choose_branch, open_accounts, publish, schedule
from standalone.seed.divisions import Division, Divisions, InvalidDivisions, read_divisions
from standalone.seed.loading import Loaded, load_members, load_organisations
from standalone.seed.people import People
from standalone.seed.progress import Watcher, shown
from standalone.seed.scenario import DemoPerson, InvalidScenario, Scenario, read_scenario
from standalone.seed.sign_in import SignedIn
from standalone.seed.tree import Plan, organisation_of, plan, villages_below

__all__ = [
    "DEMO",
    "PROVINCE",
    "Authenticators",
    "InvalidDivisions",
    "InvalidScenario",
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

ADMINISTRATOR, SECURITY = "administrator", "security"
"""Who opens accounts, and who grants roles: never the same account."""


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
    administrator_password: str,
    demo_password: str,
    authenticators: Authenticators,
    watcher: Watcher,
    scope: str | None = None,
    folder: Path = DEMO,
) -> SeedResult:
    """Load a demonstration through the public API; a second run adds nothing.

    `administrator_password` is that of the accounts which the first start opens; `scope` is the six digits of a county,
    `PROVINCE` for everything, or None for the scenario's own county. The people of the demonstration sign in with
    `demo_password`, and officers with a code of `authenticators` as well, as `security` does. Raises `CannotRun`, whose
    message is one line: for a file that is wrong, a password that is, and a request that is refused or not answered for
    a minute.
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

        def signed_in(username: str, password: str = demo_password) -> Api:
            app = authenticators.of(username)
            person = SignedIn(gateway_url, username, password, second_factor=app.code if app else None)
            return Api(http, person)

        granter = signed_in(SECURITY, administrator_password)
        if await set_up(granter, SECURITY, authenticators):  # granting takes a second factor
            granter = signed_in(SECURITY, administrator_password)
        opening = Opening(accounts=signed_in(ADMINISTRATOR, administrator_password), roles=granter)
        registrar = scenario.with_role("registrar")
        watcher.begin("registrar", 1)
        await open_accounts(opening, [registrar], stage, password=demo_password, watcher=watcher)
        in_charge = signed_in(registrar.username)
        organisations = await load_organisations(in_charge, planned, watcher)
        clock.mark("organisations")
        members = await load_members(in_charge, planned.branches, generator, watcher)
        clock.mark("members")
        others = [person for person in scenario.people if person is not registrar]
        watcher.begin("people", len(others))
        await open_accounts(opening, others, stage, password=demo_password, watcher=watcher)
        for person in scenario.people:
            if person.second_factor:
                await set_up(signed_in(person.username), person.username, authenticators)
        await _play(scenario, stage, in_charge, signed_in, watcher)
        clock.mark("scenario")
    return SeedResult(
        organisations=organisations,
        members=members,
        people=tuple(_seeded(person, stage) for person in scenario.people),
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


def _seeded(person: DemoPerson, stage: Stage) -> SeededPerson:
    return SeededPerson(person.username, person.title_zh, person.title_en, stage.people[person.username])


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
