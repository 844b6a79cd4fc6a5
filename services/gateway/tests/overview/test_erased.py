"""Who is erased is behind no figure any more, whatever comes late, twice, or from a rebuild."""

from uuid import UUID

import pytest

import orgtree
import privacy
from contracts.identity import PersonErasedV1
from database import Database, new_id, raw
from gateway.contributions import own_data
from gateway.contributions.event_handlers import FACTS
from gateway.erasing import forget_erased
from gateway.worker import CONSUMERS, OWN_DATA
from testkit.delivery import tell

from ..events import Numbered, disturbed, hand_over
from .test_overview import figures_of
from .test_people import COUNTY, TREE, VILLAGES, case

HANDLERS = CONSUMERS[0].handlers
PEOPLE = [new_id() for _ in range(5)]


def cases() -> list[Numbered]:
    return [(case(VILLAGES[number], person), 1) for number, person in enumerate(PEOPLE)]


async def erase(database: Database, person_id: UUID) -> None:
    await tell(database, privacy.handlers(OWN_DATA), PersonErasedV1(person_id=person_id))


async def behind(database: Database) -> int:
    await orgtree.fold(database)
    async with database.transaction() as session:
        assert await orgtree.mend_by_facts(session, FACTS) == (0, 0)
        return len((await orgtree.people(session, COUNTY))["cases.received"])


@pytest.mark.parametrize("seed", range(3))
async def test_an_erased_person_is_behind_no_figure_and_stays_so(database: Database, seed: int) -> None:
    events = cases()
    await hand_over(database, HANDLERS, [*TREE, *events])
    assert (await figures_of(database, COUNTY))["cases.received"] == 5
    await erase(database, PEOPLE[0])
    assert (await figures_of(database, COUNTY))["cases.received"] is None  # five cases, of four people
    late = events[0][0].model_copy(update={"status": "answered"})
    await hand_over(database, HANDLERS, disturbed([*events, (late, 2), (case(VILLAGES[1], PEOPLE[0]), 1)], seed))
    assert await behind(database) == 4
    async with database.read() as session:
        kept = await (await raw(session)).fetchval(
            "select count(*) from contribution where person = person_mark($1)", PEOPLE[0]
        )
    assert kept == 0


async def test_who_was_erased_beside_rebuilt_contributions_is_taken_out_of_them(database: Database) -> None:
    await hand_over(database, HANDLERS, [*TREE, *cases()])
    async with database.transaction() as session:  # as an erasure that met other tables leaves these
        await (await raw(session)).execute("insert into erased_person values ($1, now())", PEOPLE[1])
    assert await behind(database) == 5
    async with database.transaction() as session:
        await forget_erased(await raw(session), own_data=own_data)
    assert await behind(database) == 4
