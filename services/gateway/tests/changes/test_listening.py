"""`GET /v1/events`: who listens is told at once, from any process on, within bounds, and no longer than their token."""

import asyncio
import logging
import socket
import struct
import time
from asyncio.selector_events import _SelectorSocketTransport  # type: ignore[attr-defined]
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

import orgtree
from contracts.identity import SessionRevokedV1
from contracts.members import MemberAffiliatedV1
from database import Database, new_id
from gateway.changes import keeping, live, queries
from gateway.changes.listener import MOST_WAITING
from testkit.tokens import TokenIssuer

from ..events import established, hand_over
from .serving import ME, OTHER, Served, Stream, changes, listening, log, row, served

BRANCH = UUID(int=12)
Headers = dict[str, str]


async def told(stream: Stream) -> tuple[int, bool]:
    event = await stream.next()
    assert event is not None
    assert event.event == "change", event
    return UUID(event.data["subject_id"]).int, event.data["gone"]


async def test_who_listens_is_told_ids_and_versions_alone(database: Database, gateway: Served, me: Headers) -> None:
    async with listening(gateway, me) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert (stream.headers["cache-control"], stream.headers["x-accel-buffering"]) == ("no-store", "no")
        await log(database, row(1, 3), row(2, audience=f"person:{OTHER}"))
        event = await stream.next()
        assert event is not None
        assert event.data == {"scope": "cases", "subject_id": str(UUID(int=1)), "version": 3, "gone": False}
        await log(database, row(1, 4, gone=True))
        assert await told(stream) == (1, True)


async def test_a_thing_that_one_sees_elsewhere_is_not_gone(database: Database, gateway: Served, me: Headers) -> None:
    at_root = f"members:{orgtree.ROOT_ID}"
    await log(database, row(1), row(1, audience=at_root))
    async with listening(gateway, me) as stream:
        await log(database, row(1, 2, gone=True), row(1, 2, audience=at_root))
        assert {await told(stream), await told(stream)} == {(1, False)}
        await log(database, row(1, 3, audience=at_root, gone=True))
        assert await told(stream) == (1, True)


async def test_one_process_goes_on_where_another_ended_and_so_does_the_list(
    database: Database, database_url: str, gateway: Served, issuer: TokenIssuer, me: Headers
) -> None:
    async with listening(gateway, me) as stream:
        await log(database, row(1))
        first = await stream.next()
    assert first is not None
    await log(database, row(2), row(3))
    async with served(database_url, issuer) as beside:
        async with listening(beside, me, after=first.id) as stream:
            assert [await told(stream) for _ in range(2)] == [(2, False), (3, False)]
            await log(database, row(4))
            assert await told(stream) == (4, False)
        listed = await changes(beside, me, cursor=first.id)
        assert [UUID(each["subject_id"]).int for each in listed["changes"]] == [2, 3, 4]
        async with listening(gateway, me, after=listed["cursor"]) as stream:
            await log(database, row(5))
            assert await told(stream) == (5, False)


async def test_who_was_away_for_much_is_sent_to_the_list(
    database: Database, gateway: Served, me: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST_BEHIND", 3)
    cursor = (await changes(gateway, me))["cursor"]
    await log(database, *(row(number) for number in range(1, 6)))
    async with listening(gateway, me, after=cursor) as stream:
        event = await stream.next()
        assert event is not None
        assert (event.event, event.id) == ("resync", None)
        assert len((await changes(gateway, me, cursor=event.data["cursor"]))["changes"]) == 5
        await log(database, row(6))
        assert await told(stream) == (6, False)


async def test_a_cursor_that_holds_no_more_is_refused_as_by_the_list(
    database: Database, gateway: Served, issuer: TokenIssuer, me: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    await log(database, row(1))
    cursor = (await changes(gateway, me))["cursor"]
    refused = await gateway.client.get("/v1/events", headers=issuer.headers(OTHER) | {"Last-Event-ID": cursor})
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/cursor_invalid")
    await log(database, row(1, 2, gone=True))
    monkeypatch.setattr(keeping, "KEPT_FOR", timedelta(0))
    await keeping.keep(database)
    refused = await gateway.client.get("/v1/events", headers=me | {"Last-Event-ID": cursor})
    assert (refused.status_code, refused.json()["type"]) == (410, "/problems/cursor_expired")


async def test_a_stream_says_bye_and_ends_with_its_token(
    gateway: Served, issuer: TokenIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "BYE_SECONDS", 2.0)
    ends = int(time.time()) + 5
    headers = issuer.headers(ME, lifetime=timedelta(minutes=1), issued_at=ends - 60)
    async with listening(gateway, headers) as stream:
        event = await stream.next()
        assert event is not None
        assert event.event == "bye"
        assert ends - 2.1 <= time.time() < ends
        assert await stream.next() is None
        assert ends <= time.time() < ends + 1.5


async def test_a_stream_ends_within_a_second_of_its_sessions_end(gateway: Served, issuer: TokenIssuer) -> None:
    session = new_id()
    async with (
        listening(gateway, issuer.headers(ME, session_id=session)) as stream,
        listening(gateway, issuer.headers(ME)) as other,
    ):
        gateway.application.authenticator.revocations.take(SessionRevokedV1(session_id=session))
        assert await stream.next(1) is None
        with pytest.raises(TimeoutError):
            await other.next(1)


async def test_a_session_listens_three_times(gateway: Served, issuer: TokenIssuer, me: Headers) -> None:
    async with listening(gateway, me), listening(gateway, me):
        async with listening(gateway, me):
            refused = await gateway.client.get("/v1/events", headers=me)
            assert (refused.status_code, refused.json()["limit"]) == (429, 3)
            assert refused.json()["type"] == "/problems/too_many_streams"
            assert int(refused.headers["retry-after"]) > 0
            async with listening(gateway, issuer.headers(ME)):
                pass
        while len(gateway.live._listeners) > 2:
            await asyncio.sleep(0.01)
        async with listening(gateway, me):
            pass


async def test_who_joins_an_organisation_is_told_to_read_anew_and_then_of_what_is_there(
    database: Database, gateway: Served, me: Headers
) -> None:
    tree = [(established(orgtree.ROOT_ID, None, "province"), 1), (established(BRANCH, orgtree.ROOT_ID, "branch"), 1)]
    await hand_over(database, orgtree.HANDLERS, tree)
    await log(database, row(1, audience=f"members:{BRANCH}"))
    async with listening(gateway, me) as stream:
        await hand_over(database, orgtree.HANDLERS, [(MemberAffiliatedV1(person_id=ME, organisation_id=BRANCH), 1)])
        event = await stream.next(5)
        assert event is not None
        assert event.event == "resync"
        anew = await changes(gateway, me, cursor=event.data["cursor"])
        assert [UUID(each["subject_id"]).int for each in anew["changes"]] == [1]
        assert anew["reset"] == event.data["scopes"]
        await log(database, row(2, audience=f"members:{BRANCH}"))
        assert await told(stream) == (2, False)


async def test_who_does_not_read_is_held_to_bounds_and_then_sent_to_the_list(
    database: Database, gateway: Served, me: Headers
) -> None:
    url = httpx.URL(str(gateway.client.base_url))
    for listening_socket in gateway.server.servers[0].sockets:  # those that it accepts have as much
        listening_socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16 * 1024)
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
        slow.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(slow, (url.host, url.port))
        head = f"GET /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: {me['Authorization']}\r\n\r\n"
        await loop.sock_sendall(slow, head.encode())
        while not gateway.live._listeners:
            await asyncio.sleep(0.01)
        (listener,) = gateway.live._listeners
        for version in range(1, 4):  # more than the system's buffers hold, beside what waits here
            written = await log(database, *(row(number, version) for number in range(1, 1001)))
            async with asyncio.timeout(20):
                while listener.position.txid < written:
                    await asyncio.sleep(0.01)
            assert listener._size <= MOST_WAITING
        received = b""
        async with asyncio.timeout(20):
            while b"event: resync" not in received:
                received = received[-100:] + await loop.sock_recv(slow, 65536)


async def test_a_listener_that_is_cut_off_leaves_no_error_behind(
    gateway: Served, me: Headers, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = _SelectorSocketTransport.set_write_buffer_limits

    def as_uvloop_does(self: Any, high: int | None = None, low: int | None = None) -> None:
        if self.is_closing():
            raise RuntimeError("the handle is closed")
        limit(self, high, low)

    monkeypatch.setattr(_SelectorSocketTransport, "set_write_buffer_limits", as_uvloop_does)
    url = httpx.URL(str(gateway.client.base_url))
    with caplog.at_level(logging.ERROR):
        for _ in range(5):
            with socket.create_connection((url.host, url.port)) as phone:
                phone.sendall(
                    f"GET /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: {me['Authorization']}\r\n\r\n".encode()
                )
                while not gateway.live._listeners:
                    await asyncio.sleep(0.01)
                phone.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )  # reset, as by a lost line
            while gateway.live._listeners:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
    assert [record.message for record in caplog.records] == []


async def test_the_process_says_bye_when_it_leaves(database_url: str, issuer: TokenIssuer, me: Headers) -> None:
    async with served(database_url, issuer) as leaving, listening(leaving, me) as stream:
        began = time.monotonic()
        leaving.server.should_exit = True
        event = await stream.next()
        assert event is not None
        assert event.event == "bye"
        assert await stream.next() is None
        assert time.monotonic() - began < 2


async def test_a_new_epoch_of_the_log_lets_everybody_connect_anew(
    database: Database, gateway: Served, me: Headers
) -> None:
    cursor = (await changes(gateway, me))["cursor"]
    async with listening(gateway, me) as stream:
        async with database.raw_transaction() as connection:
            await keeping.begin_epoch(connection)
        event = await stream.next()
        assert event is not None
        assert event.event == "bye"
        assert await stream.next() is None
    async with listening(gateway, me, after=cursor) as stream:
        event = await stream.next()
        assert event is not None
        assert event.event == "resync"
        assert (await changes(gateway, me, cursor=event.data["cursor"]))["reset"] != []


async def test_the_head_alone_of_a_stream_is_answered_at_once(gateway: Served, me: Headers) -> None:
    answer = await gateway.client.head("/v1/events", headers=me)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].startswith("text/event-stream")


async def test_nobody_looks_at_the_log_while_nobody_listens(
    gateway: Served, me: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[None] = []
    poll = queries.poll

    async def counted(*arguments: Any, **named: Any) -> object:
        looked.append(None)
        return await poll(*arguments, **named)

    monkeypatch.setattr(queries, "poll", counted)
    await asyncio.sleep(0.7)
    assert looked == []
    async with listening(gateway, me), listening(gateway, me):
        await asyncio.sleep(1.0)
        assert 2 <= len(looked) <= 5
    while gateway.live._listeners:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.4)
    before = len(looked)
    await asyncio.sleep(0.7)
    assert len(looked) == before
