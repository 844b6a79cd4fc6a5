"""Who has an answer already is told so instead of being sent it again, and never when it has changed."""

import json

import pytest

from gateway.edge.tags import LARGEST

from .door import Door
from .raw_service import Asked, RawService, Talk, answering
from .test_gzip_answers import GZIP, JSON, said


async def _tag(door: Door) -> str:
    tag = (await door.ask("GET /v1/courses")).header("etag")
    assert tag is not None
    assert tag.startswith('W/"')
    return tag


@pytest.mark.parametrize("taken", [(), (GZIP,)])
async def test_what_is_unchanged_is_not_sent_again(door: Door, service: RawService, taken: tuple[str, ...]) -> None:
    service.behave = answering(said(JSON, b"cache-control: no-store", b"content-language: zh-CN"))
    tag = await _tag(door)
    wire = await door.wire()
    for named in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        await wire.send(door.head("GET /v1/courses", f"if-none-match: {named}", *taken))
        reply = await wire.reply()
        assert (reply.status, reply.body, reply.header("etag")) == (304, b"", tag)
        assert reply.header("cache-control") == "no-store"
        assert reply.header("vary") == "accept-encoding"
        assert reply.header("x-request-id") is not None
        assert {name for name, _ in reply.headers if name.startswith(b"content-")} == set()
    assert len(service.asked) == 5  # it was decided anew each time


async def test_what_has_changed_is_sent_with_its_new_tag(door: Door, service: RawService) -> None:
    service.behave = answering(said(JSON))
    tag = await _tag(door)
    changed = JSON.replace(b"village 7", b"village 8")
    service.behave = answering(said(changed))
    reply = await door.ask("GET /v1/courses", f"if-none-match: {tag}")
    assert (reply.status, reply.body) == (200, changed)
    assert reply.header("etag") not in {None, tag}


@pytest.mark.parametrize("pieces", [1, 3, 40])
async def test_an_answer_in_pieces_is_waited_for_by_who_named_a_tag(
    door: Door, service: RawService, pieces: int
) -> None:
    service.behave = answering(said(JSON))
    tag = await _tag(door)

    async def behave(talk: Talk, _asked: Asked) -> None:
        await talk.say(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
        size = len(JSON) // pieces + 1
        for start in range(0, len(JSON), size):
            piece = JSON[start : start + size]
            await talk.say(b"%x\r\n%b\r\n" % (len(piece), piece))
        await talk.say(b"0\r\n\r\n")

    service.behave = behave
    assert (await door.ask("GET /v1/courses", f"if-none-match: {tag}")).status == 304
    reply = await door.ask("GET /v1/courses", 'if-none-match: "none"')
    assert (reply.status, reply.body, reply.header("etag")) == (200, JSON, tag)


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("GET", said(JSON, b'etag: "3"')),
        ("GET", said(JSON, kind=b"text/html")),
        ("GET", said(JSON, b"content-encoding: br")),
        ("GET", said(json.dumps(["x" * LARGEST]).encode())),
        ("GET", said(JSON, status=b"404 X")),
        ("POST", said(JSON)),
    ],
)
async def test_what_may_have_no_tag_is_sent_whatever_was_named(
    door: Door, service: RawService, line: str, answer: bytes
) -> None:
    service.behave = answering(answer)
    reply = await door.ask(f"{line} /v1/courses", "if-none-match: *", *(["content-length: 0"] * (line == "POST")))
    assert reply.body == answer.partition(b"\r\n\r\n")[2]
    assert reply.header("etag") in {None, '"3"'}
