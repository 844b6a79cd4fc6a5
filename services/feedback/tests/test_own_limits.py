"""Check 38: how many cases one person opens, through whatever they come, and that the next day is a new one."""

import asyncio
from datetime import timedelta

import pytest_asyncio

from contracts.identity import PersonErasedV1
from database import Database, new_id, raw, utc_now
from feedback.cases import commands
from feedback.worker import CONSUMERS
from orgtree import ROOT_ID
from testkit.county import BRANCH, OTHER_BRANCH, County, Person
from testkit.delivery import tell
from webapi import count_reach

from .cases import assign_roads, opened, problem, words

MOST = commands.CASES.most


@pytest_asyncio.fixture(autouse=True)
async def roads(county: County) -> None:
    await assign_roads(county.person(("registrar", ROOT_ID)))


async def rewound(database: Database, person: Person, passed: timedelta) -> None:
    """Let so much time have passed for what is counted of a person."""
    async with database.transaction() as session:
        await (await raw(session)).execute(
            "update reach_count set full_at = full_at - $2::interval where person_id = $1", person.person_id, passed
        )


async def counted(database: Database, person: Person) -> int:
    async with database.read() as session:
        return int(
            await (await raw(session)).fetchval(
                "select count(*) from reach_count where person_id = $1", person.person_id
            )
        )


async def test_one_villager_does_not_fill_another_county_with_cases(county: County, database: Database) -> None:
    villager, neighbour = await county.member(BRANCH), await county.member(BRANCH)
    answers = await asyncio.gather(*(villager.post("/cases", words(OTHER_BRANCH)) for _ in range(60)))
    assert sorted(answer.status_code for answer in answers) == [201] * MOST + [429] * (60 - MOST)
    over = next(answer for answer in answers if answer.status_code == 429)
    assert over.json()["type"] == "/problems/too_often"
    wait = int(over.headers["retry-after"])
    assert over.json()["retry_after_seconds"] == wait
    assert 0 < wait <= timedelta(days=1).total_seconds() / MOST
    assert len(await villager.all("/cases")) == MOST
    await opened(neighbour, OTHER_BRANCH)
    await rewound(database, villager, timedelta(seconds=wait))
    await opened(villager)
    assert problem(await villager.post("/cases", words())) == (429, "too_often")
    await rewound(database, villager, timedelta(days=3))
    for _ in range(MOST):
        await opened(villager)
    assert problem(await villager.post("/cases", words())) == (429, "too_often")


async def test_what_is_sent_again_or_refused_counts_for_nothing(county: County) -> None:
    villager, body = await county.member(BRANCH), words(case_id=str(new_id()))
    for _ in range(MOST):
        assert (await villager.post("/cases", body)).status_code == 201
        assert (await villager.post("/cases", words(), idempotency_key="the same")).status_code == 201
        assert (await villager.post("/cases", words(new_id()))).status_code == 422
    for _ in range(MOST - 2):
        await opened(villager)
    for _ in range(MOST):
        assert problem(await villager.post("/cases", words())) == (429, "too_often")
        assert (await villager.post("/cases", body)).status_code == 201


async def test_a_helper_opens_the_cases_of_each_villager_as_theirs(county: County) -> None:
    helper, villagers = new_id(), [new_id(), new_id()]
    for villager in villagers:
        assisted = county.person(person_id=villager, actor=helper, actions=["feedback.open_case"])
        for _ in range(MOST):
            await opened(assisted)
        assert problem(await assisted.post("/cases", words())) == (429, "too_often")
        assert problem(await county.person(person_id=villager).post("/cases", words())) == (429, "too_often")


async def test_what_is_counted_goes_with_its_person_and_with_time(county: County, database: Database) -> None:
    erased, gone, there = county.person(), county.person(), county.person()
    for person in (erased, gone):
        await opened(person)
    await tell(database, CONSUMERS[0].handlers, PersonErasedV1(person_id=erased.person_id))
    assert await counted(database, erased) == 0
    await rewound(database, gone, timedelta(days=2))
    async with database.transaction() as session:
        for _ in range(500):  # at one in 32 what is over is dropped
            await count_reach(session, commands.CASES._replace(most=10_000), there.person_id, now=utc_now())
    assert (await counted(database, gone), await counted(database, there)) == (0, 1)
