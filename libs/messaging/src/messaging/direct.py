"""Reading a stream without a consumer: direct get in batches, which the broker answers with as many messages.

Source: https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-31.md. It is answered by any replica,
also by one that lags.
"""

import asyncio
import contextlib
import secrets
from typing import Any, NamedTuple

import orjson
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from messaging.connection import NatsConnection
from messaging.wire import DirectClient, read_headers

ANSWER_SECONDS = 2.0
BATCH_SIZE = 1000
_ADDED = b"\r\nNats-Stream:"


class StreamSilent(NatsError):
    """The stream could not be read just now."""


class Entry(NamedTuple):
    """One message of a stream as direct get gives it."""

    seq: int
    stored_at: str
    subject: str
    headers: bytes
    payload: bytes


class Answer:
    """Collects the messages of one direct get, until the broker says that these are all for now.

    `pending` is how many more there are.
    """

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.pending = 0
        self.refusal: str | None = None
        self.complete = asyncio.Event()

    def take(self, headers: bytes, payload: bytes) -> None:
        """Take in one message of the answer; one that is none refuses it all."""
        try:
            self._take(read_headers(headers), headers, payload)
        except (KeyError, ValueError):
            self.refusal = "malformed"
            self.complete.set()

    def _take(self, read: dict[str, str], headers: bytes, payload: bytes) -> None:
        if "Nats-Sequence" in read:
            stored = headers[: headers.rindex(_ADDED)] + b"\r\n\r\n"  # what the broker adds stands last
            entry = Entry(int(read["Nats-Sequence"]), read["Nats-Time-Stamp"], read["Nats-Subject"], stored, payload)
            self.entries.append(entry)
            return
        status = read["Status"]
        if status == "204":  # end of batch
            self.pending = int(read["Nats-Num-Pending"])
        elif status != "404":  # nothing there
            self.refusal = status
        self.complete.set()


class DirectReader:
    """Asks for messages of streams. Several tasks may ask at once."""

    def __init__(self, nats_connection: NatsConnection) -> None:
        self._nats = nats_connection
        self._inbox: tuple[DirectClient, str, Subscription] | None = None
        self._answers: dict[bytes, Answer] = {}

    async def get(self, stream: str, subject: str, start: dict[str, Any]) -> Answer:
        """Give up to 1,000 messages of a subject, wildcards and all, from `start` on.

        That is `{"seq": …}` or `{"start_time": …}`. Raises `nats.errors.Error`, also when the stream does not exist.
        """
        client, place, _ = await self._open_inbox()
        reply = f"{place}.{secrets.token_hex(12)}"  # nobody foresees where an answer is awaited, so nobody forges one
        answer = self._answers[reply.encode()] = Answer()
        asked = orjson.dumps({"batch": BATCH_SIZE, "next_by_subj": subject, **start})
        try:
            await client.publish(f"$JS.API.DIRECT.GET.{stream}", asked, reply=reply)
            async with asyncio.timeout(ANSWER_SECONDS):
                await answer.complete.wait()
        finally:
            del self._answers[reply.encode()]
        if answer.refusal is not None:
            raise StreamSilent
        return answer

    async def close(self) -> None:
        """Ask no more."""
        inbox, self._inbox = self._inbox, None
        if inbox is not None:
            with contextlib.suppress(NatsError, OSError):
                await inbox[0].unsubscribe_directly(inbox[2])

    async def _open_inbox(self) -> tuple[DirectClient, str, Subscription]:
        """Give where answers come to, the same as long as the client is: it subscribes again when it reconnects."""
        client = self._nats.client
        if self._inbox is None or self._inbox[0] is not client:
            place = client.new_inbox()
            self._inbox = (client, place, await client.subscribe_directly(f"{place}.*", self._on_message))
        return self._inbox

    def _on_message(self, subject: bytes, _: bytes, headers: bytes, payload: bytes) -> None:
        answer = self._answers.get(subject)
        if answer is not None:
            answer.take(headers, payload)
