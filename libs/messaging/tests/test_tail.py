"""A tail gives what was published lately and then each new event, through cuts, wiped streams and forged messages."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from nats.aio.msg import Msg
from nats.js.manager import JetStreamManager

from contracts import Event
from contracts.identity import AuthorizationChangedV1, RoleDefinedV1, SessionRevokedV1
from database import new_id, utc_now
from messaging import NatsConnection, Tail, connect, direct, streams, tail
from messaging.outbox import encode
from messaging.streams import declare_stream, stream_configuration, subject_of
from testkit.proxy import TcpProxy

SINCE = timedelta(minutes=11)
TYPES = (SessionRevokedV1, AuthorizationChangedV1)


class Listener:
    """Keeps what a tail gives."""

    def __init__(self, following: Tail) -> None:
        self.tail = following
        self.events: list[Event] = []
        self.complete = asyncio.Event()

    @property
    def sessions(self) -> list[UUID]:
        return [event.session_id for event in self.events if isinstance(event, SessionRevokedV1)]

    async def until(self, condition: Callable[[], bool], seconds: float = 10) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.02)

    async def is_behind(self) -> bool:
        try:
            await self.tail.check()
        except tail.TailBehind:
            return True
        return False


@asynccontextmanager
async def listening(nats: NatsConnection, since: timedelta = SINCE) -> AsyncIterator[Listener]:
    listener = Listener(Tail(nats))
    async with listener.tail.following(TYPES, listener.events.append, since=since, complete=listener.complete.set):
        yield listener


async def tell(nats: NatsConnection, event: Event, headers: dict[str, str] | None = None) -> None:
    event_id = new_id()
    payload = encode(event, event_id=event_id, version=1, time=utc_now())
    told = {"Nats-Msg-Id": str(event_id), **(headers or {})}
    await nats.client.request(subject_of(event), payload, headers=told, timeout=5)


async def revoke(nats: NatsConnection, count: int = 1) -> list[UUID]:
    ids = [new_id() for _ in range(count)]
    for session_id in ids:
        await tell(nats, SessionRevokedV1(session_id=session_id))
    return ids


async def test_what_was_published_lately_is_there_at_once_and_what_follows_within_a_second(
    nats: NatsConnection,
) -> None:
    await declare_stream(nats, "identity")
    await revoke(nats)
    await asyncio.sleep(2.6)
    lately = await revoke(nats)
    await tell(nats, RoleDefinedV1(role_id=new_id(), role="officer", permissions=()))
    changed = AuthorizationChangedV1(person_id=new_id(), authorization_version=2)
    async with listening(nats, since=timedelta(seconds=2.5)) as listener:
        assert listener.sessions == lately
        await listener.tail.check()
        began = time.monotonic()
        await tell(nats, changed)
        await listener.until(lambda: changed in listener.events)
        assert time.monotonic() - began < 1
        later = await revoke(nats, 2)
        await listener.until(lambda: listener.sessions == lately + later)
    assert len(listener.events) == 4


async def test_at_rest_little_is_asked_and_what_is_published_then_is_heard_at_once(nats: NatsConnection) -> None:
    await declare_stream(nats, "identity")
    revoked = await revoke(nats)
    asked: list[str] = []

    async def count(message: Msg) -> None:
        asked.append(message.subject)

    subjects = ("$JS.API.DIRECT.GET.EVT_IDENTITY", "$JS.API.STREAM.MSG.GET.EVT_IDENTITY")
    subscriptions = [await nats.client.subscribe(subject, cb=count) for subject in subjects]
    async with listening(nats) as listener:
        for _ in range(2):  # the second time after some seconds of asking more often
            await asyncio.sleep(tail.QUIET_SECONDS + 1.0)
            asked.clear()
            await asyncio.sleep(6.0)
            assert 2 <= len(asked) <= 8
            began = time.monotonic()
            revoked += await revoke(nats)
            while listener.sessions != revoked:
                assert time.monotonic() - began < 0.4
                await asyncio.sleep(0.01)
    for subscription in subscriptions:
        await subscription.unsubscribe()


async def test_a_stream_that_does_not_exist_makes_nobody_ready_until_it_is_declared(nats: NatsConnection) -> None:
    async with listening(nats) as listener:
        assert not listener.complete.is_set()
        assert await listener.is_behind()
        await declare_stream(nats, "identity")
        await listener.until(listener.complete.is_set)
        await listener.tail.check()
        revoked = await revoke(nats)
        await listener.until(lambda: listener.sessions == revoked)


async def test_each_new_reason_why_nothing_can_be_read_is_told_once(
    nats: NatsConnection, nats_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")

    def told() -> list[str]:
        return [getattr(record, "error", record.msg) for record in caplog.records if record.name == "messaging.tail"]

    async with TcpProxy(urlsplit(nats_url).port or 0) as proxy:
        await proxy.refuse()
        far = await connect(proxy.through(nats_url), name="far")
        async with listening(far) as listener:
            await listener.until(lambda: told() == ["OutboundBufferLimitError"])
            await proxy.heal()
            await listener.until(lambda: told()[-1] == "NotFoundError")
            await asyncio.sleep(3 * tail.POLL_SECONDS)
            assert len(told()) == len(set(told()))
            await declare_stream(nats, "identity")
            await listener.until(lambda: told()[-1] == "tail_goes_on")
        await far.close()


async def test_a_stream_that_is_lost_is_told_until_it_is_there_again(
    nats: NatsConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "BEHIND_SECONDS", 2.5)
    await declare_stream(nats, "identity")
    before = await revoke(nats)
    async with listening(nats) as listener:
        await listener.tail.check()
        await JetStreamManager(nats.client).delete_stream("EVT_IDENTITY")
        async with asyncio.timeout(5):
            while not await listener.is_behind():
                await asyncio.sleep(0.05)
        async with listening(nats) as restarted:
            assert not restarted.complete.is_set()
        await declare_stream(nats, "identity")
        async with asyncio.timeout(5):
            while await listener.is_behind():
                await asyncio.sleep(0.05)
    assert listener.sessions == before


async def test_more_than_one_batch_comes_in_order_and_once(
    nats: NatsConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(direct, "BATCH_SIZE", 3)
    await declare_stream(nats, "identity")
    revoked = await revoke(nats, 10)
    async with listening(nats) as listener:
        assert listener.sessions == revoked
        revoked += await revoke(nats, 7)
        await listener.until(lambda: len(listener.sessions) >= 17)
        await asyncio.sleep(2 * tail.POLL_SECONDS)
        assert listener.sessions == revoked


async def test_what_happens_during_a_cut_is_caught_up_and_the_cut_is_told(
    nats: NatsConnection, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "BEHIND_SECONDS", 3.0)
    await declare_stream(nats, "identity")
    async with TcpProxy(urlsplit(nats_url).port or 0) as proxy:
        far = await connect(proxy.through(nats_url), name="far")
        async with listening(far) as listener:
            assert not await listener.is_behind()
            await proxy.refuse()
            revoked = await revoke(nats, 3)
            async with asyncio.timeout(10):
                while not await listener.is_behind():
                    await asyncio.sleep(0.1)
            assert listener.sessions == []
            await proxy.heal()
            await listener.until(lambda: listener.sessions == revoked)
            async with asyncio.timeout(10):
                while await listener.is_behind():
                    await asyncio.sleep(0.1)
        await far.close()


async def test_a_broker_that_is_silent_is_told_too(
    nats: NatsConnection, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "BEHIND_SECONDS", 1.0)
    await declare_stream(nats, "identity")
    async with TcpProxy(urlsplit(nats_url).port or 0) as proxy:
        far = await connect(proxy.through(nats_url), name="far")
        async with listening(far) as listener:
            proxy.drop("to_client")
            async with asyncio.timeout(5):
                while not await listener.is_behind():
                    await asyncio.sleep(0.1)
        await far.close()


async def test_a_wiped_stream_is_read_anew(nats: NatsConnection) -> None:
    await declare_stream(nats, "identity")
    before = await revoke(nats, 5)
    async with listening(nats) as listener:
        assert listener.sessions == before
        await JetStreamManager(nats.client).delete_stream("EVT_IDENTITY")
        await declare_stream(nats, "identity")
        after = await revoke(nats)
        await listener.until(lambda: after[0] in listener.sessions)


async def test_forged_messages_are_let_by_and_hide_nothing(nats: NatsConnection) -> None:
    await declare_stream(nats, "identity")
    forged = SessionRevokedV1(session_id=new_id())
    async with listening(nats) as listener:
        await tell(nats, forged, {"Nats-Stream": "EVT_MEMBERS"})
        block = b"NATS/1.0 404 Message Not Found\r\n\r\n"
        subject = subject_of(forged).encode()
        await nats.client.write([b"HPUB %b %d %d\r\n%bx\r\n" % (subject, len(block), len(block) + 1, block)])
        revoked = await revoke(nats)
        await listener.until(lambda: listener.sessions == revoked)
        assert listener.events == [SessionRevokedV1(session_id=revoked[0])]


@asynccontextmanager
async def behind_its_leader(nats: NatsConnection, answer: bytes) -> AsyncIterator[None]:
    """Let direct gets of identity's stream be answered by a replica that knows less than the leader."""
    await streams.request(
        nats, "STREAM.UPDATE.EVT_IDENTITY", {**stream_configuration("identity"), "allow_direct": False}
    )

    async def lag(message: Msg) -> None:
        await nats.client.write(
            [b"HPUB %b %d %d\r\n%b\r\n" % (message.reply.encode(), len(answer), len(answer), answer)]
        )

    subscription = await nats.client.subscribe("$JS.API.DIRECT.GET.EVT_IDENTITY", cb=lag)
    yield
    await subscription.unsubscribe()
    await streams.request(nats, "STREAM.UPDATE.EVT_IDENTITY", stream_configuration("identity"))


async def test_a_replica_that_lags_behind_its_leader_makes_nobody_ready(nats: NatsConnection) -> None:
    await declare_stream(nats, "identity")
    revoked = await revoke(nats, 3)
    async with (
        behind_its_leader(nats, b"NATS/1.0 404 Message Not Found\r\n\r\n"),
        listening(nats) as listener,
    ):
        assert listener.sessions == []
        assert not listener.complete.is_set()
        assert await listener.is_behind()
    async with listening(nats) as listener:
        assert (listener.sessions, listener.complete.is_set()) == (revoked, True)
        await listener.tail.check()


async def test_a_replica_that_falls_behind_is_told_and_caught_up_with(
    nats: NatsConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "BEHIND_SECONDS", 2.5)
    await declare_stream(nats, "identity")
    before = await revoke(nats)
    async with listening(nats) as listener:
        await listener.tail.check()
        async with behind_its_leader(nats, b"NATS/1.0 404 Message Not Found\r\n\r\n"):
            after = await revoke(nats)
            async with asyncio.timeout(5):
                while not await listener.is_behind():
                    await asyncio.sleep(0.05)
            assert after[0] not in listener.sessions
        await listener.until(lambda: after[0] in listener.sessions)
        async with asyncio.timeout(5):
            while await listener.is_behind():
                await asyncio.sleep(0.05)
    assert set(listener.sessions) == {*before, *after}


async def test_what_the_leader_has_from_long_ago_is_not_waited_for(nats: NatsConnection) -> None:
    await declare_stream(nats, "identity")
    await revoke(nats)
    await asyncio.sleep(1.1)
    async with listening(nats, since=timedelta(seconds=1)) as listener:
        assert listener.complete.is_set()
        assert listener.sessions == []
        await listener.tail.check()


@pytest.mark.parametrize(
    ("wanted", "read", "enough"),
    [(0, None, True), (0, 7, True), (7, None, False), (7, 6, False), (7, 7, True), (7, 9, True)],
)
def test_a_subject_is_read_when_it_is_read_as_far_as_its_leader_has_it(
    wanted: int, read: int | None, enough: bool
) -> None:
    assert tail.reached(wanted, read) is enough
