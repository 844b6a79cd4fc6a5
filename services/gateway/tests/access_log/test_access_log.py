"""One list of what all services recorded of a person, asked for in that person's own name; who is away is named."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import orjson
import pytest_asyncio

from audit.queries import AccessOut
from gateway.forwarding.limits import LARGEST_HEAD
from testkit.tokens import TokenIssuer
from webapi import cursor_of
from webapi.pages import PageRequest

from ..forwarding.raw_service import Asked, RawService, Talk
from ..in_process import SERVICES, InProcess, opened, settings_of

ME, HELPER = UUID(int=61), UUID(int=62)
BEGAN = datetime(2026, 11, 20, 8, tzinfo=UTC)
MINUTES = {"members": (1, 4, 9), "feedback": (2, 4), "identity": (3, 5, 6, 7)}
"""When each service recorded something; learning and activities have nothing to tell."""


def entry(service: str, number: int, minute: int) -> dict[str, Any]:
    return AccessOut(
        service=service,
        id=number,
        happened_at=BEGAN + timedelta(minutes=minute),
        action=f"{service}.thing.read",
        decision="allowed",
        purpose="contact",
        actor=UUID(int=63),
        actor_role="officer",
        actor_organisation_id=UUID(int=64),
        actor_organisation="红旗村党支部",
        assist_id=None,
    ).model_dump(mode="json")


class System:
    """The gateway before five services, each with a log; those in `broken` answer with that status and body."""

    def __init__(self) -> None:
        self.logs = {
            service: [entry(service, number, minute) for number, minute in enumerate(MINUTES.get(service, ()), start=1)]
            for service in SERVICES
        }
        self.broken: dict[str, tuple[int, bytes]] = {}
        self.seen: list[tuple[bytes, bytes | None]] = []
        self.gateway: InProcess
        self.headers: dict[str, str] = {}

    def behaviour(self, service: str) -> Any:
        async def behave(talk: Talk, asked: Asked) -> None:
            self.seen.append((asked.target, asked.header(b"authorization")))
            status, body = self.broken.get(service) or (200, self.page(service, asked.target.decode()))
            await talk.say(b"HTTP/1.1 %d X\r\ncontent-length: %d\r\n\r\n%b" % (status, len(body), body))

        return behave

    def page(self, service: str, target: str) -> bytes:
        """Answer as the route of `libs/audit` does; and that it is ready, which a gateway without NATS asks."""
        if target == "/health/ready":
            return b"{}"
        assert urlsplit(target).path == f"/v1/me/access-log/{service}"
        asked = parse_qs(urlsplit(target).query)
        limit = int(asked["limit"][0])
        after = PageRequest(limit, asked["cursor"][0]).after(int) if "cursor" in asked else None
        below = [each for each in reversed(self.logs[service]) if after is None or each["id"] < after[0]]
        more = len(below) > limit
        shown = below[:limit]
        return orjson.dumps({"items": shown, "next_cursor": cursor_of([shown[-1]["id"]]) if more else None})

    async def read(self, cursor: str | None = None, *, limit: int = 2) -> dict[str, Any]:
        query: dict[str, Any] = {"limit": limit} if cursor is None else {"limit": limit, "cursor": cursor}
        answer = await self.gateway.client.get("/v1/me/access-log", params=query, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def read_on(self, page: dict[str, Any]) -> list[dict[str, Any]]:
        """Give what is on a page and on all that follow."""
        items: list[dict[str, Any]] = page["items"]
        while page["next_cursor"] is not None:
            page = await self.read(page["next_cursor"])
            assert len(page["items"]) <= 2
            items += page["items"]
        return items


def told(items: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(each["service"], each["id"]) for each in items]


EVERYTHING = [
    ("members", 3), ("identity", 4), ("identity", 3), ("identity", 2), ("feedback", 2), ("members", 2),
    ("identity", 1), ("feedback", 1), ("members", 1),
]  # fmt: skip


@pytest_asyncio.fixture
async def system(database_url: str, issuer: TokenIssuer) -> AsyncIterator[System]:
    made = System()
    made.headers = issuer.headers(ME)
    async with AsyncExitStack() as stack:
        urls = {
            service: (await stack.enter_async_context(RawService(made.behaviour(service)))).url for service in SERVICES
        }
        made.gateway = await stack.enter_async_context(opened(settings_of(database_url, issuer, urls=urls)))
        yield made


async def test_all_services_are_read_in_one_list_the_latest_first_page_by_page(system: System) -> None:
    whole = await system.read(limit=50)
    assert (told(whole["items"]), whole["next_cursor"], whole["incomplete"]) == (EVERYTHING, None, [])
    assert whole["items"][0] == system.logs["members"][2]
    assert told(await system.read_on(await system.read())) == EVERYTHING


async def test_every_service_is_asked_with_the_persons_own_token_and_no_longer_once_it_ended(system: System) -> None:
    page = await system.read(limit=3)
    assert {token for _, token in system.seen} == {system.headers["Authorization"].encode()}
    assert len(system.seen) == len(SERVICES)
    system.seen.clear()
    await system.read(page["next_cursor"], limit=3)
    assert {urlsplit(target).path.rpartition(b"/")[2] for target, _ in system.seen} == {
        b"members", b"identity", b"feedback",
    }  # fmt: skip


async def test_what_the_gateway_recorded_itself_stands_in_the_same_list(system: System, issuer: TokenIssuer) -> None:
    helper = issuer.headers(ME, actor=HELPER, actions=["gateway.read_home"])
    assert (await system.gateway.client.get("/v1/home", headers=helper)).status_code == 200
    [own, *others] = await system.read_on(await system.read())
    assert (own["action"], own["actor"]) == ("gateway.assisted.home", str(HELPER))
    assert told(others) == EVERYTHING


async def test_a_service_that_is_away_is_named_and_loses_nothing_when_it_comes_back(system: System) -> None:
    system.broken = {"identity": (503, b"{}"), "members": (200, b'{"items": [{"id": "x"}]}')}
    page = await system.read(limit=50)
    assert (told(page["items"]), page["incomplete"]) == ([("feedback", 2), ("feedback", 1)], ["identity", "members"])
    system.broken = {}
    rest = await system.read_on(await system.read(page["next_cursor"]))
    assert told(rest) == [each for each in EVERYTHING if each[0] != "feedback"]


async def test_while_nobody_can_be_heard_the_cursor_stays(system: System) -> None:
    begun = await system.read()
    system.broken = dict.fromkeys(SERVICES, (500, b""))
    page = await system.read(begun["next_cursor"])
    assert (page["items"], page["next_cursor"]) == ([], begun["next_cursor"])
    assert page["incomplete"] == ["feedback", "identity", "members"]


async def test_what_comes_in_while_somebody_reads_waits_for_the_next_reading(system: System) -> None:
    begun = await system.read()
    for service in ("feedback", "learning", "identity"):
        system.logs[service].append(entry(service, len(system.logs[service]) + 1, 100))
    assert told(await system.read_on(begun)) == EVERYTHING
    assert len(await system.read_on(await system.read())) == len(EVERYTHING) + 3


async def test_a_cursor_of_something_else_is_refused(system: System) -> None:
    for key in ([1], [None] * 7, [-1] * 6, ["x"] * 6, [2**63] * 6):
        answer = await system.gateway.client.get(
            "/v1/me/access-log", params={"cursor": cursor_of(key)}, headers=system.headers
        )
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/cursor_invalid"), key


async def test_a_head_too_large_to_be_passed_on_is_refused_as_the_door_refuses_it(system: System) -> None:
    headers = {**system.headers, "accept-language": "zh".ljust(LARGEST_HEAD - 14)}
    answer = await system.gateway.client.get("/v1/me/access-log", headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (431, "/problems/headers_too_large")
    assert system.seen == []
