"""Subjects come from their owners in one call for each kind, with the caller's token; who fails or is late is named."""

import time
from collections.abc import AsyncIterator, Collection
from uuid import UUID

import pytest
import pytest_asyncio
from starlette.requests import Request

from database import Database
from gateway.forwarding.asking import Asking
from gateway.forwarding.upstream import Upstream
from gateway.subjects.reading import LARGEST, Found, Subjects
from webapi import AuthenticatedCaller, Principal
from webapi.authentication import Assistance

from .owners import MOST, Owners, opened_owners

ME, HELPER = UUID(int=61), UUID(int=62)
TOKEN = b"Bearer of.mine"
ALL = frozenset({"activities.read", "learning.read", "feedback.read", "gateway.read"})


@pytest_asyncio.fixture
async def owners() -> AsyncIterator[Owners]:
    async with opened_owners() as opened:
        yield opened


async def read(
    owners: Owners,
    database: Database,
    scope: Collection[str] = ALL,
    actions: Collection[str] | None = None,
    **wanted: Collection[UUID],
) -> Found:
    upstreams = {service: Upstream(service, url) for service, url in owners.urls.items()}
    principal = Principal(ME, "client", frozenset(scope), None, "1", None, 1, None, None, (), 0)
    if actions is not None:
        principal = principal._replace(actor=HELPER, assistance=Assistance(UUID(int=1), frozenset(actions)))
    caller = AuthenticatedCaller(Request({"type": "http"}), principal, database, None)
    try:
        subjects = Subjects(Asking(upstreams, public_url="https://xiangqiao.example"))
        return await subjects.read(wanted, [(b"authorization", TOKEN), (b"cookie", b"x=1")], caller)
    finally:
        for upstream in upstreams.values():
            upstream.close()


def ids(count: int, *, of: int = 0) -> list[UUID]:
    return [UUID(int=(of << 32) + number) for number in range(count)]


async def test_each_kind_is_read_in_one_call_with_the_callers_token_alone(owners: Owners, database: Database) -> None:
    meetings, lessons, unseen = ids(3), ids(2, of=1), UUID(int=99)
    owners.own("activity", *meetings, place="村委会")
    owners.own("lesson", *lessons)
    found = await read(
        owners, database, activity=[*meetings, unseen, meetings[0]], lesson=lessons, case=[unseen], course=[]
    )
    assert found.data.keys() == {("activity", each) for each in meetings} | {("lesson", each) for each in lessons}
    assert found.data["activity", meetings[1]] == owners.things["activity"][meetings[1]]
    assert found.incomplete == []
    assert len(owners.asked) == 3
    for asked in owners.asked:
        assert (asked.header(b"authorization"), asked.header(b"cookie")) == (TOKEN, None)


async def test_more_than_fifty_take_several_calls(owners: Owners, database: Database) -> None:
    many = ids(2 * MOST + 1)
    owners.own("course", *many)
    found = await read(owners, database, course=many)
    assert {each for _, each in found.data} == set(many)
    assert len(owners.asked) == 3


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (503, b"{}"),
        (404, b"{}"),
        (200, b"<html>"),
        (200, b'{"items": [{"activity_id": 3}]}'),
        (200, b'{"items": {}}'),
        (200, b" " * (LARGEST + 1)),
    ],
)
async def test_who_fails_is_named_and_keeps_nobody_else_out(
    owners: Owners, database: Database, status: int, body: bytes
) -> None:
    owners.own("case", *ids(1))
    owners.broken = {"activities": (status, body)}
    found = await read(owners, database, activity=ids(1), case=ids(1))
    assert (list(found.data), found.incomplete) == ([("case", UUID(int=0))], ["activities"])


async def test_nobody_is_waited_for_longer_than_three_tenths_of_a_second(owners: Owners, database: Database) -> None:
    owners.own("case", *ids(1))
    owners.silent = {"learning"}
    began = time.perf_counter()
    found = await read(owners, database, course=ids(60), lesson=ids(1), case=ids(1))
    assert 0.25 < time.perf_counter() - began < 0.9  # the others may take their time on a busy machine
    assert (len(found.data), found.incomplete) == (1, ["learning"])


async def test_a_service_that_is_away_is_named(owners: Owners, database: Database) -> None:
    owners.urls["feedback"] = "http://127.0.0.1:9"
    assert await read(owners, database, case=ids(1)) == Found({}, ["feedback"])


async def test_an_owner_gives_nothing_that_was_not_asked_for(owners: Owners, database: Database) -> None:
    owners.broken = {"activities": (200, b'{"items": [{"activity_id": "%b"}]}' % str(UUID(int=77)).encode())}
    assert await read(owners, database, activity=ids(1)) == Found({}, [])


async def test_what_the_token_does_not_reach_is_not_asked_for(owners: Owners, database: Database) -> None:
    owners.own("activity", *ids(1))
    owners.own("case", *ids(1))
    found = await read(owners, database, ALL - {"activities.read"}, activity=ids(1), case=ids(1))
    assert (list(found.data), found.incomplete) == ([("case", UUID(int=0))], [])
    helped = await read(owners, database, actions=["activities.register"], activity=ids(1), case=ids(1))
    assert (list(helped.data), helped.incomplete) == ([("activity", UUID(int=0))], [])
    assert [target.partition("?")[0] for target in owners.targets] == ["/v1/cases", "/v1/activities"]
