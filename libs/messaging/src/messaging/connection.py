"""The process's connection to NATS: it reconnects for ever, and says honestly whether it is there."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from nats.aio.msg import Msg
from nats.errors import ConnectionReconnectingError
from nats.errors import Error as NatsError

from background import unless
from messaging.wire import DirectClient

logger = logging.getLogger(__name__)

FIRST_ATTEMPT_SECONDS = 5.0
PING_SECONDS = 2.0
RECONNECT_SECONDS = 1.0


class NatsConnection:
    """One client that is replaced if the server closes it for good, e.g. on an authorization error.

    Nothing is buffered while the server is away: a publish then raises `nats.errors.Error` at once, since a batch cut
    in two by a reconnect is worth nothing. `generation` grows with each (re)connect, so that a reader knows that what
    it had asked for is gone.
    """

    def __init__(self, url: str, *, name: str) -> None:
        self._servers = [part.strip() for part in url.split(",")]
        self._name = name
        # Answers come to a place named after the user: no other may listen there, so each may listen to its own alone.
        user = urlsplit(self._servers[0]).username
        self._inbox_prefix = f"_INBOX_{user}" if user else "_INBOX"
        self._client = DirectClient()
        self._connecting: asyncio.Task[None] | None = None
        self._closing = False
        self._listening: dict[str, Callable[[bytes], None]] = {}
        self._broken = asyncio.Event()
        self.refused = asyncio.Event()
        """Set by an attempt to connect that failed, until one succeeds."""
        self.generation = 0

    @property
    def client(self) -> DirectClient:
        """The present client; ask for it anew at each use."""
        return self._client

    async def open(self) -> None:
        """Connect, or give up waiting after five seconds and go on in the background."""
        connecting = self._start_connecting()
        await asyncio.wait({connecting}, timeout=FIRST_ATTEMPT_SECONDS)
        if connecting.done():
            connecting.result()

    @asynccontextmanager
    async def kept(self, _: object) -> AsyncIterator[None]:
        """Connect without waiting for it, stay connected as long as the block lasts, then close: an application's hook.

        The application serves whether the server is there or not; `ping` tells which.
        """
        self._start_connecting()
        try:
            yield
        finally:
            await self.close()

    async def ping(self) -> None:
        """Return when the server answers; raise `ConnectionError` when it is away or silent for two seconds."""
        if not self._client.is_connected:
            raise ConnectionError("NATS is not connected")
        try:
            await self._client.flush(timeout=2)
        except (NatsError, TimeoutError, OSError) as error:
            raise ConnectionError("NATS does not answer") from error

    async def request(
        self, subject: str, payload: bytes, *, seconds: float, headers: dict[str, str] | None = None
    ) -> Msg:
        """Send a request and give its reply.

        Raises `nats.errors.Error` when none comes within so many seconds, when nobody listens, and at once when the
        connection breaks meanwhile: the reply will not find us any more.
        """
        asking = self._client.request(subject, payload, timeout=seconds, headers=headers)
        if (reply := await unless(self._broken, asking)) is None:
            raise ConnectionReconnectingError
        return reply

    async def say(self, subject: str, payload: bytes) -> None:
        """Publish what no stream keeps; while the server is away it is not said."""
        with contextlib.suppress(NatsError, OSError):
            await self._client.publish(subject, payload)

    async def listen(self, subject: str, hear: Callable[[bytes], None]) -> None:
        """Call `hear` with the payload of each message that comes by this subject from now on, whatever reconnects.

        What comes while the server is away is lost. `hear` must not raise.
        """
        self._listening[subject] = hear
        if self._client.is_connected:
            await self._subscribe(subject, hear)

    async def _subscribe(self, subject: str, hear: Callable[[bytes], None]) -> None:
        async def heard(message: Msg) -> None:
            hear(message.data)

        await self._client.subscribe(subject, cb=heard)

    @property
    def is_connected(self) -> bool:
        """Whether the server is there, as far as is known without asking it."""
        return bool(self._client.is_connected)

    async def close(self) -> None:
        """Send what is pending and close; nothing reconnects after that."""
        self._closing = True
        if self._connecting is not None and not self._connecting.done():
            self._connecting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._connecting
        if self._client.is_connected:
            with contextlib.suppress(NatsError, TimeoutError, OSError):
                await self._client.flush(timeout=2)
        await self._client.close()

    def _start_connecting(self) -> asyncio.Task[None]:
        self._connecting = asyncio.create_task(self._connect(), name="nats-connect")
        return self._connecting

    async def _connect(self) -> None:
        client = DirectClient()
        self._client = client
        options: dict[str, Any] = {
            "name": self._name,
            "inbox_prefix": self._inbox_prefix,
            "error_cb": self._on_error,
            "disconnected_cb": self._on_disconnected,
            "reconnected_cb": self._on_reconnected,
            "closed_cb": self._on_closed,
            "allow_reconnect": True,
            "max_reconnect_attempts": -1,
            "reconnect_time_wait": RECONNECT_SECONDS,
            "connect_timeout": 3,
            "ping_interval": 10,
            "max_outstanding_pings": 2,
            "pending_size": 0,
            "skip_subject_validation": True,
        }
        await client.connect(self._servers, **options)
        for subject, hear in self._listening.items():
            await self._subscribe(subject, hear)
        self._begin_generation()
        logger.info("nats_connected", extra={"connection_id": self._name})

    async def _on_error(self, error: Exception) -> None:
        if not self._client.is_connected:
            self.refused.set()
        logger.warning("nats_error", extra={"connection_id": self._name, "error": type(error).__name__})

    async def _on_disconnected(self) -> None:
        self._broken.set()
        if not self._closing:
            logger.warning("nats_disconnected", extra={"connection_id": self._name})

    def _begin_generation(self) -> None:
        self._broken = asyncio.Event()
        self.refused.clear()
        self.generation += 1

    async def _on_reconnected(self) -> None:
        self._begin_generation()
        logger.info("nats_reconnected", extra={"connection_id": self._name})

    async def _on_closed(self) -> None:
        if self._closing:
            return
        logger.error("nats_closed_by_server", extra={"connection_id": self._name})
        await asyncio.sleep(RECONNECT_SECONDS)
        if not self._closing:
            self._start_connecting()


async def connect(url: str, *, name: str) -> NatsConnection:
    """Connect to NATS at `url` (several servers separated by commas), as `name`.

    Returns after five seconds even when no server answers; `ping()` then fails until one does.
    """
    connection = NatsConnection(url, name=name)
    await connection.open()
    return connection
