"""Whatever is granted, delegated, ended and moved: nobody holds a role where nobody above them gave it."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession

import audit
import orgtree
from china_time import day_of
from contracts.members import OrganisationEstablishedV1
from database import new_id, utc_now
from identity.roles.assignments import AssignmentUnknown
from identity.roles.commands import end_role, grant_role
from identity.roles.delegation import delegate_role
from identity.roles.queries import held_on
from identity.roles.rules import (
    BeyondOwnPeriod,
    Days,
    DaysOutOfOrder,
    RoleForOneself,
    RoleNotDelegable,
    RoleNotYours,
    TooManyRoles,
    days_delegated,
)
from identity.roles.schemas import GrantRole, HandOnRole
from webapi.versions import ANYTHING

from .provider import Provider

REFUSALS = (
    orgtree.OutsideRemit, AssignmentUnknown, RoleForOneself, RoleNotDelegable, RoleNotYours, TooManyRoles,
    BeyondOwnPeriod, DaysOutOfOrder,
)  # fmt: skip
TODAY = day_of(utc_now())
GRANT = "identity.role.grant"
ROLES = ("officer", "branch_secretary", "registrar")
PEOPLE = 4

small = st.integers(0, 9)
steps = st.tuples(st.sampled_from(["grant", "delegate", "delegate", "end"]), small, small, small, small, st.booleans())


@dataclass
class World:
    """A tree, its people, and what the test itself knows of who gave what to whom."""

    places: list[UUID]
    parents: dict[UUID, UUID]
    people: list[UUID]
    granters: dict[UUID, UUID]
    given: dict[UUID, tuple[UUID, str, UUID, UUID | None]] = field(default_factory=dict)

    def lies_within(self, place: UUID, top: UUID) -> bool:
        return place == top or (place in self.parents and self.lies_within(self.parents[place], top))


async def _build(session: AsyncSession, parents: list[int], people: list[UUID]) -> World:
    places, above = [orgtree.ROOT_ID], {}
    for number in parents:
        place, parent = new_id(), places[number % len(places)]
        event = OrganisationEstablishedV1(
            organisation_id=place, parent_id=parent, kind="committee", level="township", name="镇党委"
        )
        await orgtree.place_organisations(session, [(event, 1)])
        places.append(place)
        above[place] = parent
    return World(places, above, people, granters={people[-1]: places[-1], people[-2]: places[len(places) // 2]})


async def _take(session: AsyncSession, world: World, step: tuple[str, int, int, int, int, bool]) -> None:
    kind, who, whom, what, where, dated = step
    actor, person = world.people[who % len(world.people)], world.people[whom % len(world.people)]
    role, place = ROLES[what % len(ROLES)], world.places[where % len(world.places)]
    last_day = TODAY + timedelta(days=where) if dated else None
    now, made = utc_now(), new_id()
    top = world.granters.get(actor)
    by = audit.Actor(actor, remit={top} if top is not None else ())
    held = [("security_administrator", top)] if top is not None else [(role, place)]
    if kind == "grant":
        await grant_role(
            session, assignment_id=made, by=by, held=held, now=now,
            wanted=GrantRole(person_id=person, role=role, organisation_id=place, valid_until=last_day),
        )  # fmt: skip
        assert top is not None
        assert world.lies_within(place, top)
        world.given[made] = (person, role, place, None)
    elif world.given:
        source = list(world.given)[what % len(world.given)]
        if kind == "end":
            await end_role(session, assignment_id=source, expected=ANYTHING, by=by, now=now)
            for ended in [each for each, facts in world.given.items() if source in (each, facts[3])]:
                del world.given[ended]
            return
        holder, role, own_place, from_another = world.given[source]
        await delegate_role(
            session, source_id=source, assignment_id=made, by=by, now=now,
            wanted=HandOnRole(person_id=person, organisation_id=place, valid_until=last_day),
        )  # fmt: skip
        assert (holder, from_another) == (actor, None)
        assert role != "registrar"
        assert world.lies_within(place, own_place)
        world.given[made] = (person, role, place, source)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parents=st.lists(small, min_size=2, max_size=7), taken=st.lists(steps, min_size=4, max_size=20))
async def test_no_sequence_of_steps_reaches_beyond_what_somebody_above_gave(
    provider: Provider, parents: list[int], taken: list[tuple[str, int, int, int, int, bool]]
) -> None:
    people = await _people(provider)
    async with provider.database.transaction() as session:
        world = await _build(session, parents, people)
        for step in taken:
            with suppress(*REFUSALS):
                async with session.begin_nested():
                    await _take(session, world, step)
        for person in people:
            held = {(role, place) for role, place in (await session.execute(held_on(person, TODAY))).all()}
            assert held == {(role, place) for whose, role, place, _ in world.given.values() if whose == person}
        await session.rollback()  # leaves no trace


_opened: list[UUID] = []


async def _people(provider: Provider) -> list[UUID]:
    while len(_opened) < PEOPLE:
        _opened.append((await provider.open_person())[0])
    return _opened


days = st.dates(TODAY - timedelta(days=5), TODAY + timedelta(days=10))


@given(st.tuples(days, st.none() | days), st.none() | days, st.none() | days)
def test_the_days_of_what_is_delegated_lie_within_ones_own(
    own: tuple[date, date | None], first: date | None, last: date | None
) -> None:
    mine = Days(*own)
    try:
        theirs = days_delegated(mine, first, last, today=TODAY)
    except (BeyondOwnPeriod, DaysOutOfOrder):
        return
    assert theirs.valid_from >= mine.valid_from
    assert mine.valid_until is None or (theirs.valid_until is not None and theirs.valid_until <= mine.valid_until)
    assert theirs.valid_until is None or theirs.valid_until >= max(theirs.valid_from, TODAY)
