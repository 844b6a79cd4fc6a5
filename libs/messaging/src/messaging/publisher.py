"""The publishing half of a worker: the service's stream, and one relay for each shard of the outbox."""

import asyncio
import logging

from nats.errors import Error as NatsError

from background import open_session
from database import Database, closing
from messaging import streams
from messaging.connection import NatsConnection
from messaging.relay import Relay

logger = logging.getLogger(__name__)


class Publisher:
    """Declares what the service publishes to and ships its outbox there."""

    name = "publisher"

    def __init__(self, service: str, database: Database, nats_connection: NatsConnection, *, replicas: int = 1) -> None:
        self._service = service
        self._database = database
        self._nats = nats_connection
        self._replicas = replicas
        self._relays: list[Relay] = []

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until `stop`; raises an exception group when a relay fails, after the others have ended."""
        async with closing(open_session(self._database)) as connection:
            shards: int = await connection.fetchval("select shards from outbox_state")
        await streams.declare_stream(self._nats, self._service, replicas=self._replicas)
        await self._capture_advisories()
        self._relays = [
            Relay(self._service, self._database, self._nats, shard=shard, replicas=self._replicas)
            for shard in range(shards)
        ]
        async with asyncio.TaskGroup() as group:
            for relay in self._relays:
                group.create_task(relay.run(stop), name=relay.name)

    async def check(self) -> None:
        """Raise `messaging.relay.RelayStuck` when a relay leads here and its oldest row waits for too long."""
        for relay in self._relays:
            await relay.check()

    async def _capture_advisories(self) -> None:
        try:
            await streams.declare_advisories(self._nats, replicas=self._replicas)
        except NatsError as error:
            # An account that may not declare it still publishes; advisories are for operators.
            logger.warning("advisories_not_captured", extra={"service": self._service, "error": type(error).__name__})
