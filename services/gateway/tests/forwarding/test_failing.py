"""What a client sees when a service is away, silent, broken, or breaks off; and what is sent a second time."""

import asyncio
import socket
import time
from functools import partial
from uuid import uuid4

import pytest

from gateway.forwarding import measures
from gateway.forwarding.limits import MIB, Limits
from gateway.forwarding.routing import Route
from testkit.tokens import TokenIssuer
from webapi import Authenticator

from .door import PATIENT, Door, Reply, opened
from .raw_service import OK, Asked, RawService, Talk, answering, until


def failures(reason: str) -> float:
    """Count the failures of the service so far."""
    return float(measures.FAILURES.labels("learning", reason)._value.get())


async def test_a_service_that_is_away_is_503_with_its_name(authenticator: Authenticator, token: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        async with opened([Route("/v1/courses", "learning")], {"learning": url}, authenticator, token) as door:
            for language, title in (("zh", "服务暂时无法连接"), ("en", "The service cannot be reached")):
                reply = await door.ask("POST /v1/courses", f"accept-language: {language}", body=b"abc")
                assert reply.status == 503
                assert reply.problem["service"] == "learning"
                assert reply.problem["title"].startswith(title)
                assert 5 <= int(reply.header("retry-after") or 0) <= 8
            assert door.upstreams["learning"].open == 0


async def test_a_service_that_does_not_answer_is_504_and_its_connection_is_not_used_again(
    door: Door, service: RawService
) -> None:
    async def behave(talk: Talk, asked: Asked) -> None:
        if asked.target.endswith(b"slow"):
            await talk.ended()
        else:
            await talk.say(OK)

    service.behave = behave
    before = failures("slow")
    reply = await door.ask("GET /v1/hasty/first-byte/slow")
    assert (reply.status, reply.problem["service"]) == (504, "learning")
    assert int(reply.header("retry-after") or 0) >= 2
    assert failures("slow") == before + 1
    assert (await door.ask("GET /v1/courses/quick")).body == b"ok"
    assert service.opened == 2


BROKEN = {
    "nonsense": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "no head": b"\r\n\r\n\r\n",
    "http/0.9": b"hello",
    "status": b"HTTP/1.1 42 X\r\n\r\n",
    "status 600": b"HTTP/1.1 600 X\r\ncontent-length: 0\r\n\r\n",
    "status 099": b"HTTP/1.1 099 X\r\ncontent-length: 0\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nokk",
    "length list": b"HTTP/1.1 200 OK\r\ncontent-length: 2, 2\r\n\r\nok",
    "length and chunked": b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding": b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "only gzip": b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nok",
    "folded": b"HTTP/1.1 200 OK\r\nx-a: b\r\n c\r\ncontent-length: 0\r\n\r\n",
    "bare cr": b"HTTP/1.1 200 OK\r\nx-a: b\rset-cookie: c\r\ncontent-length: 0\r\n\r\n",
    "nul": b"HTTP/1.1 200 OK\r\nx-a: b\0c\r\ncontent-length: 0\r\n\r\n",
    "space before colon": b"HTTP/1.1 200 OK\r\nx-a : b\r\ncontent-length: 0\r\n\r\n",
    "switching": b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\nx",
    "large head": b"HTTP/1.1 200 OK\r\nx-a: " + b"a" * 40_000 + b"\r\ncontent-length: 0\r\n\r\n",
    "endless line": b"HTTP/1.1 200 OK\r\nx-a: " + b"a" * 100_000,
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"x-a: 1\r\n" * 120 + b"content-length: 0\r\n\r\n",
    "endless interim": b"HTTP/1.1 100 Continue\r\n\r\n" * 20,
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN.keys())
async def test_an_answer_that_is_not_understood_is_502(door: Door, service: RawService, answer: bytes) -> None:
    service.behave = answering(answer)
    is_silent = answer == BROKEN["no head"]
    reply = await door.ask("GET /v1/hasty/first-byte" if is_silent else "GET /v1/courses")
    assert reply.status == (504 if is_silent else 502)
    assert reply.problem["service"] == "learning"
    await service.settled(0)


CUT = {
    "length": b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\npart of it",
    "chunked": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n7\r\npart of\r\n3\r\n i",
    "last chunk": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n7\r\npart of\r\n",
    "bad chunk": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n7\r\npart of\r\nzz\r\n",
    "trailers": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n7\r\npart of\r\n0\r\n" + b"x-a: 1\r\n" * 9_000,
}


@pytest.mark.parametrize("close", ["fin", "reset", "silence"])
@pytest.mark.parametrize("answer", CUT.values(), ids=CUT.keys())
async def test_an_answer_that_breaks_off_never_looks_whole(
    door: Door, service: RawService, answer: bytes, close: str
) -> None:
    async def behave(talk: Talk, _asked: Asked) -> None:
        await talk.say(answer)
        await asyncio.sleep(0.05)
        if close == "fin":
            talk.writer.close()
        elif close == "reset":
            talk.reset()

    service.behave = behave
    wire = await door.wire()
    await wire.send(door.head("GET /v1/hasty/idle" if close == "silence" else "GET /v1/courses"))
    reply = await wire.reply()
    if reply.status != 502:  # what was broken from the first moment on can still be told
        assert (reply.status, reply.complete, reply.closed) == (200, False, True)
    await service.settled(0)


@pytest.mark.parametrize("begun", [b"", b"{", b"{}"], ids=["head alone", "part", "all but its end"])
async def test_an_answer_that_breaks_off_before_its_client_got_any_of_it_is_a_problem(
    door: Door, service: RawService, begun: bytes
) -> None:
    told = asyncio.Event()

    async def behave(talk: Talk, _asked: Asked) -> None:
        await talk.say(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
        if begun:
            await talk.say(b"%x\r\n%b\r\n" % (len(begun), begun))
        await told.wait()
        talk.reset()

    service.behave = behave
    asking = asyncio.create_task(door.ask("GET /v1/courses", 'if-none-match: "waits until it is whole"'))
    await service.settled(1)
    await asyncio.sleep(0.05)  # the head is there and nothing more comes
    told.set()
    reply = await asking
    assert (reply.status, reply.complete) == (502, True)
    assert reply.problem["service"] == "learning"


async def test_an_answer_that_ends_with_its_connection_breaks_off_by_reset(door: Door, service: RawService) -> None:
    async def behave(talk: Talk, _asked: Asked) -> None:
        await talk.say(b"HTTP/1.1 200 OK\r\n\r\npart of it")
        await asyncio.sleep(0.05)
        talk.reset()

    service.behave = behave
    reply = await door.ask("GET /v1/courses")
    assert (reply.status, reply.complete) == (200, False)


async def test_an_answer_that_has_come_is_not_late_because_the_gateway_was_held_up(
    door: Door, service: RawService
) -> None:
    async def behave(talk: Talk, _asked: Asked) -> None:
        await talk.say(OK)
        time.sleep(1)  # noqa: ASYNC251 - the loop stands still, the gateway's with it

    service.behave = behave
    assert (await door.ask("GET /v1/hasty/first-byte")).body == b"ok"


async def test_a_service_that_drips_is_cut_at_the_total_time(door: Door, service: RawService) -> None:
    async def behave(talk: Talk, _asked: Asked) -> None:
        await talk.say(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n")
        for _ in range(100):
            await talk.say(b".")
            await asyncio.sleep(0.1)

    service.behave = behave
    started = asyncio.get_running_loop().time()
    reply = await door.ask("GET /v1/hasty/total")
    assert not reply.complete
    assert asyncio.get_running_loop().time() - started < 8


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
async def test_a_kept_connection_closed_by_the_service_is_replaced_for_idempotent_requests(
    door: Door, service: RawService, method: str
) -> None:
    close_next = asyncio.Event()

    async def behave(talk: Talk, asked: Asked) -> None:
        if close_next.is_set():
            close_next.clear()
            talk.writer.close()  # as a service does whose keep-alive ends at the very moment of the request
            return
        await talk.say(OK.partition(b"ok")[0] if asked.method == b"HEAD" else OK)

    service.behave = behave
    assert (await door.ask("GET /v1/courses")).status == 200
    close_next.set()
    reply = await door.ask(f"{method} /v1/courses", body=b"abc" if method == "PUT" else b"")
    assert reply.status == 200
    assert [asked.method for asked in service.asked] == [b"GET", method.encode(), method.encode()]
    assert service.asked[1].body == service.asked[2].body
    assert service.opened == 2


@pytest.mark.parametrize("way", ["post", "patch", "streamed put", "begun answer"])
async def test_what_may_have_had_its_effect_is_not_sent_again(door: Door, service: RawService, way: str) -> None:
    assert (await door.ask("GET /v1/courses")).status == 200

    async def behave(talk: Talk, _asked: Asked) -> None:
        if way == "begun answer":
            await talk.say(b"HTTP/1.1 2")
        talk.writer.close()

    service.behave = behave
    service.asked.clear()
    wire = await door.wire()
    if way == "streamed put":
        await wire.send(door.head("PUT /v1/courses", f"content-length: {MIB + 1}"), b"abc")
        await until(lambda: door.upstreams["learning"].idle == 0)
        await wire.send(bytes(MIB - 2))
    elif way in {"post", "patch"}:
        await wire.send(door.head(f"{way.upper()} /v1/courses", "content-length: 3"), b"abc")
    else:
        await wire.send(door.head("GET /v1/courses"))
    reply = await wire.reply()
    assert (reply.status, reply.problem["service"]) == (502, "learning")
    assert len(service.asked) == 1


async def test_a_second_closing_is_not_tried_a_third_time(door: Door, service: RawService) -> None:
    assert (await door.ask("GET /v1/courses")).status == 200

    async def behave(talk: Talk, _asked: Asked) -> None:
        talk.writer.close()

    service.behave = behave
    assert (await door.ask("GET /v1/courses")).status == 502
    assert len(service.asked) == 3


async def test_connections_that_died_while_idle_are_not_used(door: Door, service: RawService) -> None:
    await asyncio.gather(*(door.ask("GET /v1/courses") for _ in range(4)))
    for talk in list(service.open):
        talk.writer.close()
    await until(lambda: door.upstreams["learning"].open == 0)
    assert (await door.ask("POST /v1/courses", body=b"abc")).status == 200


async def test_a_full_pool_queues_and_a_full_queue_is_503(
    service: RawService, authenticator: Authenticator, token: str, issuer: TokenIssuer
) -> None:
    release = asyncio.Event()

    async def behave(talk: Talk, _asked: Asked) -> None:
        await release.wait()
        await talk.say(OK)

    service.behave = behave
    routes = (Route("/v1/streams", "learning", timeouts=PATIENT, writing=PATIENT),)
    limits = Limits(connections=4, waiting=4, sweep_seconds=0.02)
    async with opened(routes, {"learning": service.url}, authenticator, token, limits=limits) as door:

        async def asked_by(person: str) -> Reply:
            return await door.ask("POST /v1/streams", f"authorization: Bearer {person}", body=b"abc", token=False)

        asking = [asyncio.create_task(door.ask("GET /v1/streams")) for _ in range(4)]
        await service.settled(4)
        for number, person in enumerate((token, issuer.token(uuid4(), client_id="another")), start=1):
            asking += [asyncio.create_task(asked_by(person)) for _ in range(2)]
            await until(partial(_waits, door, 2 * number))
            refused = await asked_by(person)
            assert (refused.status, refused.problem["type"]) == (503, "/problems/service_busy"), "a share is 2 of 4"
        refused = await asked_by(issuer.token(uuid4()))
        assert (refused.status, refused.problem["type"]) == (503, "/problems/service_busy"), "the queue is full"
        assert (refused.header("retry-after") in {"1", "2"}, refused.problem["service"]) == (True, "learning")
        release.set()
        assert {reply.status for reply in await asyncio.gather(*asking)} == {200}
        assert service.opened == 4
        assert door.upstreams["learning"].waiting == 0


def _waits(door: Door, count: int) -> bool:
    return door.upstreams["learning"].waiting == count


async def test_waiting_in_the_queue_ends_in_time(door: Door, service: RawService) -> None:
    async def behave(talk: Talk, _asked: Asked) -> None:
        await talk.ended()

    service.behave = behave
    asking = [asyncio.create_task(door.ask("POST /v1/streams")) for _ in range(4)]
    await service.settled(4)
    reply = await door.ask("GET /v1/hasty/queue")
    assert (reply.status, reply.problem["type"]) == (503, "/problems/service_busy")
    for talk in list(service.open):
        talk.reset()
    assert {reply.status for reply in await asyncio.gather(*asking)} == {502}


async def test_idle_connections_are_closed_before_the_service_does_it(
    service: RawService, authenticator: Authenticator, token: str
) -> None:
    routes = [Route("/v1/courses", "learning", timeouts=PATIENT)]
    limits = Limits(idle_seconds=0.1, sweep_seconds=0.02)
    async with opened(routes, {"learning": service.url}, authenticator, token, limits=limits) as door:
        assert (await door.ask("GET /v1/courses")).status == 200
        await service.settled(0)
        assert door.upstreams["learning"].open == 0


async def test_old_connections_are_replaced(service: RawService, authenticator: Authenticator, token: str) -> None:
    routes = [Route("/v1/courses", "learning", timeouts=PATIENT)]
    limits = Limits(age_seconds=0.1, sweep_seconds=0.02)
    async with opened(routes, {"learning": service.url}, authenticator, token, limits=limits) as door:
        for _ in range(4):
            assert (await door.ask("GET /v1/courses")).status == 200
            await asyncio.sleep(0.15)
    assert service.opened >= 2
