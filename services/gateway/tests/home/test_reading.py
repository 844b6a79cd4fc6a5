"""`GET /v1/home` in one call: sections, orders, what items are about, and what may be missing, for one person alone."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from database import Database
from gateway.supervision.states import Picture, Seen
from testkit.tokens import TokenIssuer

from ..events import NOW, hand_over
from ..in_process import InProcess, opened, settings_of
from ..subjects.owners import Owners, opened_owners
from .test_home import ACTIVITY, BASE, COURSE, HANDLERS, MEMBER, STRANGER, VILLAGER, activity, case, course, meetings

WAITING = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
MEETING = activity().model_copy(update={"ends_at": NOW + timedelta(days=3650)})
"""Has begun, whenever this runs, and is not over."""


@pytest_asyncio.fixture
async def owners() -> AsyncIterator[Owners]:
    async with opened_owners() as made:
        yield made


@pytest_asyncio.fixture
async def gateway(database_url: str, issuer: TokenIssuer, owners: Owners) -> AsyncIterator[InProcess]:
    async with opened(settings_of(database_url, issuer, urls=owners.urls)) as made:
        made.application.state.watch = Seeing()
        yield made


class Seeing:
    """Sees the processes of a test's."""

    def __init__(self) -> None:
        self.seen: dict[tuple[str, str], Seen] = {}

    async def picture(self) -> Picture:
        return self.seen


class Reader:
    """Somebody who reads their home."""

    def __init__(self, gateway: InProcess, headers: dict[str, str]) -> None:
        self._gateway = gateway
        self._headers = headers

    async def ask(self, **query: Any) -> httpx.Response:
        return await self._gateway.client.get("/v1/home", params=query, headers=self._headers)

    async def read(self, **query: Any) -> dict[str, Any]:
        answer = await self.ask(**query)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


@pytest.fixture
def member(gateway: InProcess, issuer: TokenIssuer) -> Reader:
    return Reader(gateway, issuer.headers(MEMBER))


async def test_an_item_says_what_to_do_and_how_and_what_it_is_about(
    database: Database, owners: Owners, member: Reader
) -> None:
    await hand_over(database, HANDLERS, [*BASE, (MEETING, 1), (course(), 1)])
    owners.own("activity", ACTIVITY, place="村委会二楼")
    page = await member.read(include="subject", section="todo")
    assert (page["incomplete"], page["stale"], page["next_cursor"]) == ([], [], None)
    [item] = page["items"]
    assert item["subject"] == owners.things["activity"][ACTIVITY]
    assert (item["section"], item["href"]) == ("todo", f"/v1/activities/{ACTIVITY}")
    assert item["title"] == {"zh": "参加支部党员大会", "en": "Take part: branch meeting"}
    attending = {
        "operation_id": "activities_report_attendance",
        "method": "POST",
        "href": f"/v1/activities/{ACTIVITY}/attendances",
        "needs": [],
    }
    assert item["actions"] == [attending | {"body": {"mode": mode}} for mode in ("in_person", "remote")]
    assert len(owners.asked) == 1, "a course is not read for a home without courses"


async def test_a_subject_that_the_caller_may_not_see_is_null_and_nobody_is_asked_without_being_told_to(
    database: Database, owners: Owners, member: Reader
) -> None:
    await hand_over(database, HANDLERS, [*BASE, (MEETING, 1), (course(), 1)])
    owners.own("course", COURSE)
    assert [item["subject"] for item in (await member.read())["items"]] == [None, None]
    assert owners.asked == []
    page = await member.read(include="subject")
    assert {item["kind"]: item["subject"] is not None for item in page["items"]} == {
        "activity.attend": False,
        "course.study": True,
    }
    assert page["incomplete"] == []


async def test_who_does_not_answer_is_named_and_the_rest_is_there(
    database: Database, owners: Owners, member: Reader
) -> None:
    await hand_over(database, HANDLERS, [*BASE, (MEETING, 1), (course(), 1)])
    owners.own("course", COURSE)
    owners.silent = {"activities"}
    page = await member.read(include="subject")
    assert page["incomplete"] == ["activities"]
    assert {item["kind"] for item in page["items"] if item["subject"] is None} == {"activity.attend"}


async def test_a_service_that_is_not_heard_is_named_with_the_time(gateway: InProcess, member: Reader) -> None:
    gateway.application.state.watch.seen[("learning", "worker")] = Seen("away", NOW)
    gateway.application.state.watch.seen[("members", "api")] = Seen("up", NOW)
    page = await member.read()
    assert page["items"] == []
    assert page["stale"] == [{"service": "learning", "since": "2026-11-23T08:00:00Z"}]


async def test_a_cursor_goes_on_in_its_own_list_of_its_own_person_alone(
    database: Database, gateway: InProcess, member: Reader, issuer: TokenIssuer
) -> None:
    await hand_over(database, HANDLERS, [*BASE, *meetings(40, 41, 42, 43)])
    first = await member.read(section="todo", order="due", limit=3)
    cursor = first["next_cursor"]
    rest = await member.read(section="todo", order="due", limit=3, cursor=cursor)
    assert len({item["key"] for item in [*first["items"], *rest["items"]]}) == 4
    others: list[tuple[Reader, dict[str, Any]]] = [
        (member, {"order": "due"}),
        (member, {"section": "read", "order": "due"}),
        (member, {"section": "todo"}),
        (Reader(gateway, issuer.headers(STRANGER)), {"section": "todo", "order": "due"}),
    ]
    for reader, query in others:
        refused = await reader.ask(**query, cursor=cursor)
        assert (refused.status_code, refused.json()["type"]) == (422, "/problems/cursor_invalid"), query


@pytest.mark.parametrize("query", [{"section": "done"}, {"order": "title"}, {"include": "author"}])
async def test_another_word_is_refused_with_those_there_are(member: Reader, query: dict[str, str]) -> None:
    refused = await member.ask(**query)
    [fault] = refused.json()["errors"]
    assert (refused.status_code, fault["pointer"]) == (422, f"/query/{next(iter(query))}")
    assert "'" in fault["message"]


def mixed(count: int) -> Sequence[Any]:
    """Make as many items of a member and villager as a busy home has: meetings, courses, own cases."""
    events: list[Any] = []
    for number in range(count):
        if number % 4 == 0:
            changed: dict[str, Any] = {
                "course_id": uuid4(),
                "title": f"第{number}课 手机防诈骗",
                "lesson_ids": (uuid4(),),
            }
            events.append((course().model_copy(update=changed), 1))
        elif number % 4 == 1:
            answered = case("answered").model_copy(update={"case_id": uuid4(), "reporter_id": MEMBER})
            events.append((answered, 2))
        else:
            starts_at = NOW + timedelta(days=3650, hours=number)
            changed = {"activity_id": uuid4(), "starts_at": starts_at, "ends_at": starts_at + timedelta(hours=2)}
            events.append((activity().model_copy(update=changed), number))
    return events


async def test_twenty_items_fit_in_three_kilobytes(database: Database, member: Reader) -> None:
    await hand_over(database, HANDLERS, [*BASE, *mixed(24)])
    answer = await member.ask(limit=20)
    assert {item["section"] for item in answer.json()["items"]} == {"todo", "read"}
    assert len(answer.json()["items"]) == 20
    assert len(gzip.compress(answer.content, 6)) <= 3 * 1024


async def test_a_home_that_waits_for_its_database_ends_by_the_deadline(
    gateway: InProcess, issuer: TokenIssuer, database: Database
) -> None:
    asked = {**issuer.headers(MEMBER), "x-xiangqiao-deadline": "300"}
    async with database.raw_transaction() as connection:
        await connection.execute("lock table home_item in access exclusive mode")
        late = await gateway.client.get("/v1/home", headers=asked)
        async with asyncio.timeout(1):
            while await connection.fetchval(WAITING):
                await connection.execute("select pg_stat_clear_snapshot()")
    assert (late.status_code, late.json()["type"]) == (504, "/problems/service_slow")


async def test_nothing_to_do_is_no_error(gateway: InProcess, issuer: TokenIssuer) -> None:
    for order in ("since", "due"):
        page = await Reader(gateway, issuer.headers(VILLAGER)).read(order=order, include="subject")
        assert page == {"items": [], "next_cursor": None, "incomplete": [], "stale": []}
