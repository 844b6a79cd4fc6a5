"""Clients that send or read slowly (check 32): they cost no connection to a service, and a share of what there is."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from gateway.forwarding.failures import Crowded
from gateway.forwarding.limits import MIB
from gateway.forwarding.routing import Route, public_routes
from gateway.forwarding.slow_clients import Holding, Pace, Patience, Room
from testkit.tokens import TokenIssuer
from webapi import Authenticator
from webapi.authentication import Principal

from .door import PATIENT, Door, Wire, opened
from .raw_service import OK, Asked, RawService, Talk, until

SENT_SLOWLY = {
    "only a head": ("content-length: 100", b""),
    "a byte": ("content-length: 100", b"x"),
    "all but a byte": ("content-length: 1000000", bytes(999_999)),
    "a chunk": ("transfer-encoding: chunked", b"1\r\nx\r\n"),
    "an open chunk": ("transfer-encoding: chunked", b"ffff\r\nx"),
    "too large to wait for": (f"content-length: {2 * MIB}", b"x"),
    "too large in chunks": ("transfer-encoding: chunked", b"%x\r\n%b\r\n1" % (MIB, bytes(MIB))),
}
ROUTES = (
    Route("/v1/courses", "learning", timeouts=PATIENT),
    Route("/sign-in", "learning", public=True, timeouts=PATIENT),
)


@pytest_asyncio.fixture
async def narrow(service: RawService, authenticator: Authenticator, token: str) -> AsyncIterator[Door]:
    """Give a gateway before four connections, whose clients' answers do not vanish in the kernel's buffers."""
    async with opened(ROUTES, {"learning": service.url}, authenticator, token, send_buffer=8192) as made:
        yield made


@pytest_asyncio.fixture
async def hurried(service: RawService, authenticator: Authenticator, token: str) -> AsyncIterator[Door]:
    """Give the same, to whose clients a minute is four tenths of a second."""
    patience = Patience(rate=50_000, span=0.4)
    async with opened(
        ROUTES, {"learning": service.url}, authenticator, token, patience=patience, send_buffer=8192
    ) as made:
        yield made


async def slow_reader(door: Door) -> Wire:
    """Open a connection whose client takes next to nothing until it reads."""
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.setblocking(False)
    await asyncio.get_running_loop().sock_connect(narrow, ("127.0.0.1", door.port))
    wire = Wire(*await asyncio.open_connection(sock=narrow, limit=1024))
    door.wires.append(wire)
    return wire


def answers_of(service: RawService, size: int) -> bytes:
    """Let the service answer with so many bytes where "large" is asked for."""
    content = os.urandom(size)

    async def behave(talk: Talk, asked: Asked) -> None:
        if b"large" in asked.target:
            await talk.say(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size, content)
        else:
            await talk.say(OK)

    service.behave = behave
    return content


def nothing_is_held(door: Door) -> bool:
    return door.forwarder.room.taken == 0 and door.upstreams["learning"].kept_waiting.taken == 0


@pytest.mark.parametrize("way", SENT_SLOWLY)
async def test_bodies_that_do_not_come_keep_nobody_out(narrow: Door, service: RawService, way: str) -> None:
    header, begun = SENT_SLOWLY[way]
    wires = [await narrow.wire() for _ in range(12)]
    for wire in wires:
        await wire.send(narrow.head("POST /v1/courses", header), begun)
    if "too large" in way:
        refused = [await wire.reply("POST") for wire in wires[1:]]
        assert {(reply.status, reply.problem["limit"]) for reply in refused} == {(429, "client")}
        assert {reply.header("retry-after") for reply in refused} <= {"5", "6", "7", "8"}
    else:
        await until(lambda: narrow.forwarder.room.taken >= 12)
        assert service.opened == 0
    for line in ("GET /v1/courses", "POST /v1/courses"):
        replies = await asyncio.gather(*(narrow.ask(line, body=b"{}" if "POST" in line else b"") for _ in range(6)))
        assert [reply.status for reply in replies] == [200] * 6
    for wire in wires:
        await wire.close()
    await until(lambda: nothing_is_held(narrow))


async def test_bodies_of_strangers_that_do_not_come_keep_nobody_out(narrow: Door) -> None:
    wires = [await narrow.wire() for _ in range(12)]
    for wire in wires:
        await wire.send(narrow.head("POST /sign-in", "content-length: 100", token=False), b"x")
    await until(lambda: narrow.forwarder.room.taken == 12)
    assert (await narrow.ask("POST /sign-in", body=b"a=b", token=False)).status == 200


async def test_five_hundred_phones_behind_one_address_finish_while_others_are_served(
    narrow: Door, service: RawService, issuer: TokenIssuer
) -> None:
    tokens = [issuer.token(UUID(int=number)) for number in range(1, 501)]
    wires = [await narrow.wire() for _ in tokens]
    for wire, token in zip(wires, tokens, strict=True):
        narrow.token = token
        await wire.send(narrow.head("POST /v1/courses", "content-length: 6000"))
    for stalled in range(3):
        await asyncio.gather(*(wire.send(b"%d" % stalled * 2000) for wire in wires if stalled < 2))
        await until(lambda: narrow.forwarder.room.taken == 500)
        assert service.opened <= 1
        assert {(await narrow.ask("PUT /v1/courses", body=b"{}")).status for _ in range(5)} == {200}
    service.asked.clear()
    for start in range(0, 500, 4):  # the service's four connections are asked for no faster than it answers
        few = wires[start : start + 4]
        await asyncio.gather(*(wire.send(b"2" * 2000) for wire in few))
        assert {(await wire.reply("POST")).status for wire in few} == {200}
    assert [len(asked.body) for asked in service.asked] == [6000] * 500
    await until(lambda: nothing_is_held(narrow))


async def test_answers_that_are_not_read_keep_nobody_out_and_arrive_whole_in_the_end(
    narrow: Door, service: RawService
) -> None:
    content = answers_of(service, 500_000)
    wires = [await slow_reader(narrow) for _ in range(12)]
    pool = narrow.upstreams["learning"]
    for number, wire in enumerate(wires):
        await wire.send(narrow.head("GET /v1/courses/large"))
        await until(lambda: len(service.asked) == number + 1 and pool.idle == pool.open)  # noqa: B023 - waited for here
    assert narrow.forwarder.room.taken > 0
    replies = await asyncio.gather(*(narrow.ask("GET /v1/courses") for _ in range(6)))
    assert [reply.status for reply in replies] == [200] * 6
    for wire in wires:
        reply = await wire.reply()
        assert (reply.status, reply.complete, reply.body == content) == (200, True, True)
    await until(lambda: nothing_is_held(narrow))


async def test_large_answers_that_are_not_read_keep_at_most_half_of_the_connections(
    narrow: Door, service: RawService
) -> None:
    content = answers_of(service, 4 * MIB)
    pool = narrow.upstreams["learning"]
    wires = [await slow_reader(narrow) for _ in range(4)]
    for wire in wires:
        await wire.send(narrow.head("GET /v1/courses/large"))
    await until(lambda: len(service.asked) == 4 and pool.open - pool.idle == pool.kept_waiting.taken == 1)
    replies = await asyncio.gather(*(narrow.ask("GET /v1/courses") for _ in range(6)))
    assert [reply.status for reply in replies] == [200] * 6
    read = [await wire.reply() for wire in wires]
    assert sorted((reply.status, reply.complete, reply.body == content) for reply in read) == [
        *[(200, False, False)] * 3,
        (200, True, True),
    ]
    await until(lambda: nothing_is_held(narrow))


async def test_an_answer_that_breaks_off_while_it_is_not_read_never_looks_whole(
    narrow: Door, service: RawService
) -> None:
    async def behave(talk: Talk, _asked: Asked) -> None:
        await talk.say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n" % 400_000, bytes(400_000))
        talk.writer.close()

    service.behave = behave
    wire = await slow_reader(narrow)
    await wire.send(narrow.head("GET /v1/courses"))
    await until(lambda: service.opened == 1 and narrow.upstreams["learning"].open == 0)
    reply = await wire.reply()
    assert (reply.status, reply.complete) == (200, False)
    await until(lambda: nothing_is_held(narrow))


@pytest.mark.parametrize("way", SENT_SLOWLY)
async def test_a_body_below_the_least_rate_is_408(hurried: Door, service: RawService, way: str) -> None:
    header, begun = SENT_SLOWLY[way]
    wire = await hurried.wire()
    await wire.send(hurried.head("POST /v1/courses", header), begun)
    reply = await wire.reply("POST")
    assert (reply.status, reply.header("connection")) == (408, "close")
    await service.settled(0)
    await until(lambda: nothing_is_held(hurried))


@pytest.mark.parametrize("size", [500_000, 8 * MIB])
async def test_an_answer_that_is_not_read_ends_with_its_clients_connection(
    hurried: Door, service: RawService, size: int
) -> None:
    answers_of(service, size)
    wire = await slow_reader(hurried)
    await wire.send(hurried.head("GET /v1/courses/large"))
    await until(lambda: len(service.asked) == 1)
    pool = hurried.upstreams["learning"]
    await until(lambda: nothing_is_held(hurried) and pool.open == pool.idle)
    reply = await wire.reply()
    assert (reply.status, reply.complete) == (200, False)


def principal(*, client_id: str = "app", actor: UUID | None = None) -> Principal:
    return Principal(uuid4(), client_id, frozenset(), None, None, 0.0, 1, actor, None, (), 0.0)


def fill(room: Room, *who: tuple[Principal | None, str]) -> tuple[int, str]:
    """Take places one by one for these in turn, until there is none; give how many, and which share was used up."""
    for number in range(room.places + 1):
        try:
            Holding(room, *who[number % len(who)]).hold(1)
        except Crowded as crowded:
            return number, str(crowded)
    raise AssertionError


def test_each_has_a_share_and_leaves_room_for_the_others() -> None:
    someone, helper = principal(), uuid4()
    assert fill(Room(4096), (someone, "::1")) == (128, "person")
    assert fill(Room(4096), (principal(actor=helper), ""), (principal(actor=helper), "")) == (128, "person")
    assert fill(Room(4096), *((principal(), "::1") for _ in range(4096))) == (2048, "client")
    assert fill(Room(4096), (None, "1.2.3.4")) == (512, "address")
    assert fill(Room(4096), (None, "2001:db8::1"), (None, "2001:db8::2")) == (512, "address")
    site = [(None, f"2001:db8:1:{number:x}::1") for number in range(250)]
    assert fill(Room(4096), *site) == (1024, "network")
    assert fill(Room(4096), (None, "::ffff:1.2.3.4"), (None, "::ffff:1.2.3.5")) == (1024, "address")
    assert fill(Room(4096), *((None, f"1.2.3.{number}") for number in range(250))) == (2048, "without_token")
    assert fill(Room(4096), *((principal(client_id=str(n)), "") for n in range(4096))) == (4096, "all")


def test_what_is_given_back_is_forgotten() -> None:
    room, someone = Room(4096), principal()
    holding = Holding(room, someone, "::1")
    holding.hold(3)
    holding.hold(2)
    assert room.taken == 3
    with pytest.raises(Crowded, match="person"):
        holding.hold(129)
    holding.leave()
    holding.leave()
    assert (room.taken, len(room._taken)) == (0, 0)
    assert fill(room, (someone, "")) == (128, "person")


def late(pieces: list[tuple[float, int]]) -> bool:
    """Say whether a client that waits so long before each of its pieces is cut off."""
    pace = Pace(Patience())
    for waited, size in pieces:
        if waited > pace.left:
            return True
        pace.came(size, waited)
    return False


def test_two_kilobytes_a_second_with_stalls_are_fast_enough_and_a_byte_each_four_seconds_is_not() -> None:
    assert not late([*[(0.5, 1000)] * 80, (20.0, 0)] * 100)
    assert late([(4.0, 1)] * 16)


@given(st.lists(st.tuples(st.floats(0, 61), st.integers(0, 40_000)), max_size=60))
def test_who_is_late_was_below_the_least_rate_over_some_span(pieces: list[tuple[float, int]]) -> None:
    ends = [sum(waited for waited, _ in pieces[: number + 1]) for number in range(len(pieces))]
    moments = [0.0, *ends]
    slowest = min(
        (
            sum(size for (_, size), at in zip(pieces, ends, strict=True) if start < at <= start + 60.0)
            for start in moments
            if ends and start + 60.0 <= ends[-1]
        ),
        default=None,
    )
    if late(pieces):
        assert slowest is not None
        assert slowest < 512 * 60


def test_a_form_is_passed_on_as_far_as_identity_reads_it() -> None:
    forms = [route for route in public_routes().routes if route.public]
    assert {route.max_body for route in forms} == {16 * 1024}
