"""The seed speaks to the API patiently: the same command under the same key until it is answered, and no longer."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from standalone.seed import api
from standalone.seed.api import Api, RequestRefused, few_at_a_time, opened
from standalone.seed.sign_in import SignedIn


class Signed(SignedIn):
    """Somebody whose token is known."""

    signings = 0

    async def headers(self) -> dict[str, str]:
        self.signings += 1
        return {"Authorization": f"Bearer token-{self.signings}"}


class Script:
    """An HTTP server that gives these answers in turn: a status with a problem's code, or None to hang up."""

    def __init__(self, answers: Sequence[tuple[int, str] | None]) -> None:
        self._answers = list(answers)
        self.keys: list[str | None] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        await reader.readexactly(int(fields.get("content-length", "0")))
        self.keys.append(fields.get("idempotency-key"))
        answer = self._answers.pop(0)
        if answer is not None:
            status, code = answer
            body = json.dumps({"type": f"/problems/{code}", "title": code, "rows": []}).encode()
            writer.write(
                b"HTTP/1.1 %d X\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s" % (status, len(body), body)
            )
            await writer.drain()
        writer.close()


@asynccontextmanager
async def speaking(*answers: tuple[int, str] | None) -> AsyncIterator[tuple[Api, Script]]:
    script = Script(answers)
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, opened(url) as http:
        yield Api(http, Signed(url, "somebody", "secret")), script


async def test_a_command_is_sent_again_under_the_same_key_until_it_is_answered() -> None:
    async with speaking(None, (503, "unavailable"), (429, "too_many"), (500, "internal"), (201, "done")) as (
        person,
        script,
    ):
        assert (await person.post("/v1/things", {}))["title"] == "done"
    assert len(script.keys) == 5
    assert len(set(script.keys)) == 1
    assert script.keys[0]


async def test_what_crossed_another_request_is_judged_anew_under_a_new_key() -> None:
    async with speaking((409, "enrolled_meanwhile"), (200, "done")) as (person, script):
        await person.post("/v1/things", {})
    assert len(set(script.keys)) == 2


async def test_a_token_that_is_not_taken_any_more_is_renewed() -> None:
    async with speaking((401, "token_invalid"), (200, "done")) as (person, script):
        await person.post("/v1/things", {})
    assert len(script.keys) == 2


async def test_what_others_have_not_heard_of_yet_is_waited_for_and_nothing_else() -> None:
    async with speaking((404, "not_found"), (403, "permission_missing"), (201, "done")) as (person, script):
        await person.post("/v1/things", {}, heard=False)
    async with speaking((404, "not_found")) as (person, script):
        with pytest.raises(RequestRefused, match="404"):
            await person.post("/v1/things", {})
    async with speaking((422, "invalid")) as (person, script):
        with pytest.raises(RequestRefused, match="422") as caught:
            await person.post("/v1/things", {}, heard=False)
    assert caught.value.code == "invalid"
    assert len(script.keys) == 1


async def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "PATIENCE_SECONDS", 0.05)
    async with speaking((503, "unavailable"), (503, "unavailable")) as (person, _):
        with pytest.raises(RequestRefused) as caught:
            await person.post("/v1/things", {})
    assert "\n" not in str(caught.value)


async def test_what_is_not_there_is_nothing() -> None:
    async with speaking((404, "not_found"), (200, "there")) as (person, script):
        assert await person.get("/v1/things/1") is None
        assert (await person.get("/v1/things/1") or {})["title"] == "there"
    assert script.keys == [None, None]


async def test_few_batches_are_made_and_under_way_at_once() -> None:
    made, under_way, most = 0, 0, 0

    def batches() -> Any:
        nonlocal made
        for number in range(20):
            made += 1
            assert made - done <= 4
            yield number

    done = 0

    async def send(_: int) -> None:
        nonlocal under_way, most, done
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.001)
        under_way -= 1
        done += 1

    await few_at_a_time(batches(), send, at_once=3)
    assert (done, most) == (20, 3)


async def test_the_first_refusal_ends_it() -> None:
    async def send(number: int) -> None:
        if number == 3:
            raise RequestRefused("POST /v1/things", 422, {"title": "wrong"})

    with pytest.raises(RequestRefused):
        await few_at_a_time(range(10), send, at_once=2)
