"""The shorter way for pulled messages: however the bytes are cut, each message arrives once and whole."""

import inspect
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pytest
from nats.aio.client import Client
from nats.aio.subscription import Subscription
from nats.protocol.parser import Parser

from messaging.wire import DirectClient, empty_message, message_without_reply, read_headers

HEADERS = b"NATS/1.0\r\nNats-Msg-Id: 1\r\n\r\n"


def frame(subject: str, payload: bytes, *, sid: int = 7, reply: str = "r.1") -> bytes:
    total = len(HEADERS) + len(payload)
    return f"HMSG {subject} {sid} {reply} {len(HEADERS)} {total}\r\n".encode() + HEADERS + payload + b"\r\n"


@pytest.fixture
def client() -> Any:
    made = DirectClient()
    made.seen = []  # type: ignore[attr-defined]
    made.callbacks[b"7"] = lambda *parts: made.seen.append(parts)  # type: ignore[attr-defined]
    return made


@pytest.mark.parametrize("size", [1, 2, 3, 7, 20, 64, 1000, 100_000])
async def test_messages_arrive_once_and_whole_however_the_bytes_are_cut(client: Any, size: int) -> None:
    payloads = [b"", b"x" * 50, b"HMSG x 7 r.1 1 1\r\n", b"\r\n\r\n", b"y" * 300]
    whole = b"".join(
        frame(f"s.{number}", payload) + (b"+OK\r\n" if number == 2 else b"") for number, payload in enumerate(payloads)
    )
    for start in range(0, len(whole), size):
        await client._ps.parse(whole[start : start + size])
    assert client.seen == [
        (f"s.{number}".encode(), b"r.1", HEADERS, payload) for number, payload in enumerate(payloads)
    ]


async def test_a_status_without_a_reply_arrives_too(client: Any) -> None:
    block = b"NATS/1.0 408 Request Timeout\r\nNats-Pending-Messages: 5\r\n\r\n"
    await client._ps.parse(f"HMSG inbox 7 {len(block)} {len(block)}\r\n".encode() + block + b"\r\n")
    [(_, reply, headers, payload)] = client.seen
    assert (reply, payload) == (b"", b"")
    assert read_headers(headers) == {
        "Status": "408",
        "Description": "Request Timeout",
        "Nats-Pending-Messages": "5",
    }


async def test_a_message_without_headers_reaches_the_same_callback(client: Any) -> None:
    await client._ps.parse(b"MSG subject 7 r.1 5\r\nhello\r\n" + frame("s.2", b"x"))
    assert [(parts[0], parts[2], parts[3]) for parts in client.seen] == [
        (b"subject", b"", b"hello"),
        (b"s.2", HEADERS, b"x"),
    ]


async def test_messages_of_other_subscriptions_go_nats_pys_way(client: Any) -> None:
    await client._ps.parse(frame("other", b"x", sid=8) + frame("mine", b"y"))
    assert [parts[0] for parts in client.seen] == [b"mine"]


def test_what_is_written_is_the_protocols_form() -> None:
    assert empty_message(b"$JS.ACK.x") == b"PUB $JS.ACK.x 0\r\n\r\n"
    assert message_without_reply("s", "A: 1\r\nB: 2\r\n", b"data") == (
        b"HPUB s 24 28\r\nNATS/1.0\r\nA: 1\r\nB: 2\r\n\r\ndata\r\n"
    )


COMPARE = "messaging.wire leans on this private name of nats-py: compare its source with the last version, then go on"


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        (Client._send_command, ["self", "cmd", "priority"]),
        (Client._flush_pending, ["self", "force_flush"]),
        (Client._process_msg, ["self", "sid", "subject", "reply", "data", "headers"]),
        (Parser.parse, ["self", "data"]),
    ],
)
def test_the_private_names_of_nats_py_are_as_they_were(method: Callable[..., Any], parameters: list[str]) -> None:
    assert inspect.iscoroutinefunction(method), COMPARE
    assert list(inspect.signature(method).parameters) == parameters, COMPARE


def test_an_upgrade_of_nats_py_is_compared_before_it_is_taken() -> None:
    assert version("nats-py").startswith("2.16."), f"{COMPARE}, and raise the bound here and in pyproject.toml"
    client = Client()
    assert type(client._ps) is Parser, COMPARE
    assert isinstance(client._ps.buf, bytearray), COMPARE
    assert Subscription(client, id=7)._id == 7, COMPARE
