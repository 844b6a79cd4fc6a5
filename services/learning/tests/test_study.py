"""Studying over HTTP: progress that only grows, one study per person and lesson, and the word "need help"."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest_asyncio

from database import Database, raw
from orgtree import ROOT_ID
from testkit.county import BRANCH, COUNTY, OTHER_COUNTY, SECOND_BRANCH, County, Person

from .lessons import lesson, published_course


@pytest_asyncio.fixture
async def lesson_id(county: County) -> str:
    made = await published_course(county.person(("registrar", ROOT_ID)), COUNTY)
    return str(made["lessons"][0]["lesson_id"])


async def progress(learner: Person, lesson_id: str, percent: int, **headers: str) -> Any:
    answer = await learner.send("PUT", f"/lessons/{lesson_id}/progress", {"progress": percent}, **headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def say(learner: Person, lesson_id: str, word: str, at: datetime | None = None) -> Any:
    said = {"understanding": word} | ({} if at is None else {"acted_at": at.isoformat()})
    answer = await learner.post(f"/lessons/{lesson_id}/understanding", said)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_progress_takes_the_maximum_and_tells_only_what_grew(
    county: County, lesson_id: str, published: Any
) -> None:
    learner = await county.member(BRANCH)
    seen = [(await progress(learner, lesson_id, percent))["progress"] for percent in (30, 60, 60, 20, 100, 5)]
    assert seen == [30, 60, 60, 60, 100, 100]
    events = await published("lesson_study")
    assert [(version, data["progress"], data["completed"]) for _, _, version, data in events] == [
        (1, 30, False),
        (2, 60, False),
        (3, 100, True),
    ]
    assert {data["affiliation_id"] for _, _, _, data in events} == {str(BRANCH)}


async def test_reports_that_come_at_once_end_at_the_furthest_without_a_gap(
    county: County, lesson_id: str, published: Any
) -> None:
    learner = await county.member(BRANCH)
    await asyncio.gather(*(progress(learner, lesson_id, percent) for percent in range(5, 101, 5)))
    assert (await learner.get(f"/lessons/{lesson_id}/progress")).json()["progress"] == 100
    events = await published("lesson_study")
    assert [version for _, _, version, _ in events] == list(range(1, len(events) + 1))
    assert len({data["study_id"] for _, _, _, data in events}) == 1
    reached = [data["progress"] for _, _, _, data in events]
    assert reached == sorted(set(reached))


async def test_a_repeated_report_under_its_key_gets_the_first_answer(county: County, lesson_id: str) -> None:
    learner = await county.member(BRANCH)
    first = await progress(learner, lesson_id, 40, idempotency_key="p1")
    await progress(learner, lesson_id, 90)
    assert await progress(learner, lesson_id, 40, idempotency_key="p1") == first


async def test_progress_is_there_before_one_began(county: County, lesson_id: str) -> None:
    learner = await county.member(BRANCH)
    answer = (await learner.get(f"/lessons/{lesson_id}/progress")).json()
    assert (answer["progress"], answer["completed"], answer["understanding"]) == (0, False, None)


async def test_a_report_on_a_version_that_is_past_changes_nothing(county: County, lesson_id: str) -> None:
    learner, path = await county.member(BRANCH), f"/lessons/{lesson_id}"
    assert (await learner.get(f"{path}/progress")).headers["etag"] == '"0"'
    await progress(learner, lesson_id, 40, if_match='"0"')
    for past in ('"0"', 'W/"1"', '"*"'):
        for method, what, body in (
            ("PUT", "progress", {"progress": 90}),
            ("POST", "understanding", {"understanding": "need_help"}),
        ):
            stale = await learner.send(method, f"{path}/{what}", body, if_match=past)
            assert (stale.status_code, stale.json()["type"]) == (412, "/problems/version_past"), (what, past)
            assert (stale.json()["version"], stale.headers["etag"]) == (1, '"1"')
    stands = await learner.get(f"{path}/progress")
    assert (stands.json()["progress"], stands.json()["understanding"], stands.headers["etag"]) == (40, None, '"1"')
    said = await learner.send("POST", f"{path}/understanding", {"understanding": "need_help"}, if_match='"1"')
    assert (said.status_code, said.json()["version"], said.headers["etag"]) == (200, 2, '"2"')


async def test_nobody_studies_what_is_not_open_to_them(county: County) -> None:
    made = await published_course(county.person(("registrar", ROOT_ID)), OTHER_COUNTY)
    path = f"/lessons/{made['lessons'][0]['lesson_id']}"
    learner = await county.member(BRANCH)
    assert (await learner.send("PUT", f"{path}/progress", {"progress": 1})).status_code == 404
    assert (await learner.post(f"{path}/understanding", {"understanding": "understood"})).status_code == 404
    assert (await learner.get(f"{path}/progress")).status_code == 404


async def test_progress_is_a_percentage_and_time_is_not_asked_for(county: County, lesson_id: str) -> None:
    learner = await county.member(BRANCH)
    for body in ({"progress": 101}, {"progress": -1}, {"progress": 50, "seconds": 60}):
        assert (await learner.send("PUT", f"/lessons/{lesson_id}/progress", body)).status_code == 422


async def test_the_last_word_on_understanding_counts_and_a_repeated_one_tells_nothing(
    county: County, lesson_id: str, published: Any
) -> None:
    learner = await county.member(BRANCH)
    asked = await say(learner, lesson_id, "need_help")
    assert await say(learner, lesson_id, "need_help") == asked
    assert asked["help_asked_at"] is not None
    settled = await say(learner, lesson_id, "understood")
    assert (settled["understanding"], settled["help_asked_at"]) == ("understood", None)
    events = await published("lesson_study")
    assert [(what, version, data["understood"]) for what, _, version, data in events] == [
        ("understanding_reported.v1", 1, False),
        ("understanding_reported.v1", 2, True),
    ]


async def test_the_word_that_was_said_last_counts_in_whatever_order_they_come(county: County, lesson_id: str) -> None:
    began = datetime.now(UTC) - timedelta(days=3)
    words = [(began + timedelta(hours=n), word) for n, word in enumerate(["need_help", "understood", "need_help"])]
    words.append((words[-1][0], "understood"))
    for order in permutations(words):
        learner = await county.member(BRANCH)
        *_, last = [await say(learner, lesson_id, word, at) for at, word in (*order, *order)]
        assert (last["understanding"], last["help_asked_at"] is not None) == ("need_help", True), order


async def test_a_late_word_is_older_than_one_said_directly_and_none_comes_from_the_future(
    county: County, lesson_id: str
) -> None:
    learner = await county.member(BRANCH)
    now = datetime.now(UTC)
    assert (await say(learner, lesson_id, "understood"))["understanding"] == "understood"
    assert (await say(learner, lesson_id, "need_help", now - timedelta(days=1)))["understanding"] == "understood"
    ahead = {"understanding": "need_help", "acted_at": (now + timedelta(minutes=6)).isoformat()}
    refused = await learner.post(f"/lessons/{lesson_id}/understanding", ahead)
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/said_in_future")
    assert (await say(learner, lesson_id, "need_help", now + timedelta(minutes=4)))["understanding"] == "need_help"
    assert (await say(learner, lesson_id, "understood"))["understanding"] == "understood", "its clock was ahead"


async def test_help_is_asked_of_the_own_branch_or_else_of_who_publishes(county: County, database: Database) -> None:
    made = await published_course(county.person(("registrar", ROOT_ID)), ROOT_ID, lesson())
    lesson_id = made["lessons"][0]["lesson_id"]
    await say(await county.member(BRANCH), lesson_id, "need_help")
    await say(county.person(), lesson_id, "need_help")
    async with database.read() as session:
        rows = await (await raw(session)).fetch("select asked_organisation_id from lesson_study")
    assert {row[0] for row in rows} == {BRANCH, ROOT_ID}


async def test_a_study_carries_the_branch_of_its_day(county: County, lesson_id: str, published: Any) -> None:
    learner = await county.member(BRANCH)
    await progress(learner, lesson_id, 10)
    await county.affiliate(SECOND_BRANCH, learner.person_id, version=2)
    await progress(learner, lesson_id, 20)
    affiliations = [data["affiliation_id"] for _, _, _, data in await published("lesson_study")]
    assert affiliations == [str(BRANCH), str(SECOND_BRANCH)]


async def test_events_name_who_was_asked_for_help_until_it_is_understood(
    county: County, lesson_id: str, published: Any
) -> None:
    member, villager = await county.member(BRANCH), county.person()
    province = await published_course(county.person(("registrar", ROOT_ID)), ROOT_ID)
    await say(member, lesson_id, "need_help")
    await county.affiliate(SECOND_BRANCH, member.person_id, version=2)
    await progress(member, lesson_id, 50)
    await say(member, lesson_id, "understood")
    await say(villager, province["lessons"][0]["lesson_id"], "need_help")
    asked = [data["asked_organisation_id"] for _, _, _, data in await published("lesson_study")]
    assert sorted(asked, key=str) == sorted([str(BRANCH), str(BRANCH), None, str(ROOT_ID)], key=str)
