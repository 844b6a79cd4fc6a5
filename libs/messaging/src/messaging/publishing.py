"""Publishing to JetStream: atomic batches of up to 1,000, stored all in order or not at all, and one by one.

Source: https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-50.md
"""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple
from uuid import uuid4

import orjson
from nats.errors import Error as NatsError

from messaging.connection import NatsConnection
from messaging.versions import EPOCH
from messaging.wire import message_without_reply

MAX_BATCH = 1000
MAX_BATCH_BYTES = 8 * 1024 * 1024
ACK_SECONDS = 5.0
_CONTAINS_DUPLICATE = 10201
_PIECE = 100  # messages; the first bytes leave while the rest of the batch is still being built
_HEADER_BYTES = 300


class Message(NamedTuple):
    """One message to publish; `event_id` is a UUID's text."""

    event_id: str
    subject: str
    traceparent: str | None
    payload: bytes
    epoch: int = 1


class Stored(NamedTuple):
    """What the broker says it stored: how many messages, and the stream sequence of the last."""

    number: int
    stream_seq: int


class ContainsDuplicate(Exception):
    """The broker refused a whole batch since it already has one of its messages."""


class NotAcknowledged(Exception):
    """The broker did not confirm what was sent: it is away, silent, refused, or confirmed something else.

    `err_code` is JetStream's number for its refusal, if it was one.
    """

    def __init__(self, reason: str, *, err_code: int | None = None) -> None:
        super().__init__(reason)
        self.err_code = err_code


def fitting(messages: Sequence[Message]) -> int:
    """Give how many of the first messages fit one batch: at most 1,000 and 8 MiB, at least one."""
    size = 0
    for count, message in enumerate(messages[:MAX_BATCH]):
        size += len(message.payload) + _HEADER_BYTES
        if size > MAX_BATCH_BYTES and count:
            return count
    return min(len(messages), MAX_BATCH)


async def publish_batch(nats: NatsConnection, messages: Sequence[Message]) -> Stored:
    """Publish 1 to 1,000 messages of one stream as one atomic batch and wait for its acknowledgement.

    Raises `ContainsDuplicate` or `NotAcknowledged`; after the latter the batch may or may not be stored.
    """
    client, batch_id, last = nats.client, uuid4().hex, messages[-1]
    try:
        for start in range(0, len(messages) - 1, _PIECE):
            piece = messages[start : min(start + _PIECE, len(messages) - 1)]
            await client.write(
                [
                    message_without_reply(message.subject, _header_lines(message, batch_id, number), message.payload)
                    for number, message in enumerate(piece, start=start + 1)
                ]
            )
            await asyncio.sleep(0)
        headers = {
            **_headers(last),
            "Nats-Batch-Id": batch_id,
            "Nats-Batch-Sequence": str(len(messages)),
            "Nats-Batch-Commit": "1",
        }
        reply = await nats.request(last.subject, last.payload, seconds=ACK_SECONDS, headers=headers)
    except (NatsError, OSError) as error:
        raise NotAcknowledged(type(error).__name__) from error
    stored = _acknowledgement(reply.data)
    if stored.number != len(messages):
        raise NotAcknowledged(f"{stored.number} of {len(messages)} stored")
    return stored


async def publish_each(nats: NatsConnection, messages: Sequence[Message]) -> Stored:
    """Publish messages one after the other, each acknowledged before the next; a duplicate counts as done.

    Raises `NotAcknowledged` at the first that is not confirmed; those before it are stored.
    """
    stream_seq = 0
    for message in messages:
        try:
            reply = await nats.request(message.subject, message.payload, seconds=ACK_SECONDS, headers=_headers(message))
        except (NatsError, OSError) as error:
            raise NotAcknowledged(type(error).__name__) from error
        stream_seq = max(stream_seq, _acknowledgement(reply.data).stream_seq)
    return Stored(len(messages), stream_seq)


def _headers(message: Message) -> dict[str, str]:
    headers = {"Nats-Msg-Id": message.event_id}
    if message.traceparent is not None:
        headers["traceparent"] = message.traceparent
    if message.epoch > 1:
        headers[EPOCH] = str(message.epoch)
    return headers


def _header_lines(message: Message, batch_id: str, number: int) -> str:
    """Give the headers of a batch's message as lines: a dictionary for each would take longer than all the rest."""
    trace = f"traceparent: {message.traceparent}\r\n" if message.traceparent is not None else ""
    batch = f"Nats-Batch-Id: {batch_id}\r\nNats-Batch-Sequence: {number}\r\n"
    epoch = f"{EPOCH}: {message.epoch}\r\n" if message.epoch > 1 else ""
    return f"Nats-Msg-Id: {message.event_id}\r\n{trace}{epoch}{batch}"


def _acknowledgement(data: bytes) -> Stored:
    answer = orjson.loads(data) if data else {}
    error = answer.get("error")
    if error is not None:
        if error.get("err_code") == _CONTAINS_DUPLICATE:
            raise ContainsDuplicate
        code = error.get("err_code")
        raise NotAcknowledged(f"refused with {code}: {error.get('description')}", err_code=code)
    if "seq" not in answer:
        raise NotAcknowledged("an answer without a sequence")
    return Stored(answer.get("count", 1), answer["seq"])
