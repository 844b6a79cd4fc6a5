"""Equal reads of one person at once are asked once, and nobody gets what another was answered (check 31)."""

import asyncio
import re
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from gateway.forwarding import shared_exchanges
from gateway.forwarding.routing import Route
from gateway.forwarding.shared_exchanges import JOINABLE_SECONDS, LARGEST
from testkit.tokens import TokenIssuer
from webapi import Authenticator

from .door import PATIENCE_SECONDS, PATIENT, Door, Reply, Wire, opened
from .raw_service import Asked, RawService, Talk, until

PATH = "/v1/courses/1"


class Held:
    """A service that tells who asked, and answers reads only when it is let."""

    def __init__(self) -> None:
        self.let = asyncio.Event()
        self.body = b""
        self.head = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: %d\r\n\r\n"

    async def behave(self, talk: Talk, asked: Asked) -> None:
        body = self.body or asked.header(b"authorization") or b""
        if asked.method == b"GET":
            await self.let.wait()
        await talk.say(self.head % len(body) if b"%d" in self.head else self.head, body)


@pytest.fixture
def held(service: RawService) -> Held:
    made = Held()
    service.behave = made.behave
    return made


@pytest.fixture(autouse=True)
def joinable(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every exchange young enough, however busy the machine is, but where its age is what matters."""
    if "moment_ago" not in request.node.name:
        monkeypatch.setattr(shared_exchanges, "JOINABLE_SECONDS", PATIENCE_SECONDS)


@pytest_asyncio.fixture
async def door(service: RawService, authenticator: Authenticator, token: str) -> AsyncIterator[Door]:
    routes = (
        Route("/v1/courses", "learning", timeouts=PATIENT),
        Route("/v1/home", None),
        Route("/oauth2", "learning", public=True, timeouts=PATIENT),
    )
    unrecorded = [re.compile(rb"/v1/courses/[^/]+"), re.compile(rb"/oauth2/jwks")]
    upstreams = {"learning": service.url}
    async with opened(routes, upstreams, authenticator, token, unrecorded=unrecorded) as made:
        yield made


async def _begin(door: Door, service: RawService, count: int, *heads: bytes) -> list[Wire]:
    """Send a read on each of so many connections, and wait until the service has had what it will get of them."""
    wires = [await door.wire() for _ in range(count)]
    for at, wire in enumerate(wires):
        await wire.send(heads[at % len(heads)] if heads else door.head(f"GET {PATH}"))
        if not at:
            await until(lambda: len(service.asked) == 1)
    await asyncio.sleep(0.2)
    return wires


async def _replies(held: Held, wires: list[Wire]) -> list[Reply]:
    held.let.set()
    return list(await asyncio.gather(*(wire.reply() for wire in wires)))


async def test_equal_reads_at_the_same_time_are_asked_once(door: Door, service: RawService, held: Held) -> None:
    wires = await _begin(door, service, 5)
    assert len(service.asked) == 1
    replies = await _replies(held, wires)
    assert {reply.body for reply in replies} == {b"Bearer " + door.token.encode()}
    assert [reply.status for reply in replies] == [200] * 5
    assert len({reply.header("x-request-id") for reply in replies}) == 5
    await door.ask(f"GET {PATH}")
    assert len(service.asked) == 2  # what was answered before is never used


async def test_an_answer_of_unknown_length_is_shared_whole(door: Door, service: RawService, held: Held) -> None:
    held.head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    held.body = b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"
    wires = await _begin(door, service, 3)
    assert [reply.body for reply in await _replies(held, wires)] == [b"onetwo"] * 3
    assert len(service.asked) == 1


async def test_nobody_shares_an_answer(door: Door, service: RawService, held: Held, issuer: TokenIssuer) -> None:
    """Neither with another person, nor with another token of oneself: it may be of an application that may see less."""
    me = UUID(int=5)
    tokens = [issuer.token(me), issuer.token(me, client_id="other"), issuer.token(uuid4()), issuer.token(uuid4())]
    heads = [door.head(f"GET {PATH}", f"authorization: Bearer {each}", token=False) for each in tokens]
    wires = await _begin(door, service, len(heads), *heads)
    assert len(service.asked) == len(heads)
    replies = await _replies(held, wires)
    assert [reply.body for reply in replies] == [b"Bearer " + each.encode() for each in tokens]


@pytest.mark.parametrize(
    "heads",
    [
        pytest.param(["GET /v1/courses/1", "GET /v1/courses/2"], id="path"),
        pytest.param(["GET /v1/courses/1?a", "GET /v1/courses/1?b"], id="query"),
        pytest.param(["GET /v1/courses/1|accept-language: zh", "GET /v1/courses/1|accept-language: en"], id="language"),
        pytest.param(["GET /v1/courses/1|accept: a/b", "GET /v1/courses/1|accept: a/c"], id="accept"),
        pytest.param(["GET /v1/courses/1", 'GET /v1/courses/1|if-none-match: "3"'], id="tag"),
        pytest.param(["GET /v1/courses", "GET /v1/courses"], id="read on record"),
        pytest.param(["GET /oauth2/jwks", "GET /oauth2/jwks"], id="without a token"),
    ],
)
async def test_what_differs_or_is_recorded_is_asked_each_time(
    door: Door, service: RawService, held: Held, heads: list[str]
) -> None:
    lines = [head.split("|") for head in heads]
    wires = await _begin(door, service, 2, *(door.head(*each, token="oauth2" not in each[0]) for each in lines))
    assert len(service.asked) == 2
    assert [reply.status for reply in await _replies(held, wires)] == [200, 200]


async def test_a_helper_stands_on_record_each_time(
    door: Door, service: RawService, held: Held, issuer: TokenIssuer
) -> None:
    token = issuer.token(uuid4(), actor=uuid4(), actions=["learning.course.read"])
    wires = await _begin(door, service, 2, door.head(f"GET {PATH}", f"authorization: Bearer {token}", token=False))
    assert len(service.asked) == 2
    await _replies(held, wires)


@pytest.mark.parametrize(("status", "body"), [(b"404 X", b"no"), (b"200 OK", b"x" * (LARGEST + 1))])
async def test_refusals_and_large_answers_are_each_ones_own(
    door: Door, service: RawService, held: Held, status: bytes, body: bytes
) -> None:
    held.head, held.body = b"HTTP/1.1 " + status + b"\r\ncontent-length: %d\r\n\r\n", body
    wires = await _begin(door, service, 3)
    assert len(service.asked) == 1
    replies = await _replies(held, wires)
    assert [reply.body for reply in replies] == [held.body] * 3
    assert len(service.asked) == 3


async def test_who_leaves_takes_nobody_along(door: Door, service: RawService, held: Held) -> None:
    wires = await _begin(door, service, 4)
    await wires[0].close()
    await wires[2].close()
    await asyncio.sleep(0.3)
    replies = await _replies(held, [wires[1], wires[3]])
    assert [reply.status for reply in replies] == [200, 200]
    assert len(service.asked) == 1


async def test_a_leader_that_nobody_follows_is_noticed_to_leave(door: Door, service: RawService) -> None:
    async def converse(talk: Talk) -> None:
        service.asked.append(await talk.head())
        await talk.ended()

    service.converse = converse
    wires = await _begin(door, service, 1)
    await wires[0].close()
    await service.settled(0)


async def test_what_the_leader_met_everybody_meets(door: Door, service: RawService, held: Held) -> None:
    held.head, held.body = b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n", b"x"
    wires = await _begin(door, service, 3)
    replies = await _replies(held, wires)
    assert [(reply.status, reply.problem["type"]) for reply in replies] == [(502, "/problems/service_broken")] * 3
    assert len(service.asked) == 1


@pytest.mark.parametrize("write", ["POST /v1/courses/1", "DELETE /v1/courses/9", "POST /v1/home"])
async def test_who_writes_and_then_reads_sees_the_write(
    door: Door, service: RawService, held: Held, issuer: TokenIssuer, write: str
) -> None:
    """What began before the write came to its end is not joined after it, whichever token either has."""
    me = UUID(int=6)
    reading, writing = issuer.token(me), issuer.token(me, client_id="phone")
    head = door.head(f"GET {PATH}", f"authorization: Bearer {reading}", token=False)
    first, second, third = [await door.wire() for _ in range(3)]
    await first.send(head)
    await until(lambda: b"GET" in [asked.method for asked in service.asked])
    await third.send(door.head(write, f"authorization: Bearer {writing}", "content-length: 0", token=False))
    assert (await third.reply("POST")).status == 200
    await second.send(head)
    await until(lambda: [asked.method for asked in service.asked].count(b"GET") == 2)
    await _replies(held, [first, second])


async def test_an_exchange_of_a_moment_ago_is_not_joined(door: Door, service: RawService, held: Held) -> None:
    wires = await _begin(door, service, 1)
    await asyncio.sleep(JOINABLE_SECONDS)
    wires += await _begin(door, service, 1)
    assert len(service.asked) == 2
    await _replies(held, wires)
