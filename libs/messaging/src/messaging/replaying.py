"""Giving events to their handlers once more: what a restored database needs to hear again, whatever it had received."""

import logging

from nats.js.errors import NotFoundError

from background import leadership
from database import Database, closing
from messaging import streams
from messaging.connection import NatsConnection
from messaging.consumer import Consumer
from messaging.inbox import run_handlers
from messaging.pulling import Interrupted, Puller
from messaging.rebuilding import RebuildUnderWay
from messaging.received import Handlers

logger = logging.getLogger(__name__)


async def apply_again(database: Database, nats: NatsConnection, name: str, handlers: Handlers) -> int:
    """Apply every event of these types that the streams hold, in order; gives how many.

    The inbox is not asked: each handler must stand an event it has seen, also an old one after a newer. `name` is the
    name of the service's consumer, whose right to rebuild is used. Raises `RebuildUnderWay` while a rebuild uses it.
    """
    async with closing(leadership.open_session(database)) as connection:
        if not await leadership.try_lock(connection, "rebuild"):
            raise RebuildUnderWay
        consumer = Consumer(name, handlers=handlers)
        counts = [await _apply_stream(database, nats, consumer, service) for service in consumer.filters]
    logger.info("events_applied_again", extra={"consumer": name, "events": sum(counts)})
    return sum(counts)


async def _apply_stream(database: Database, nats: NatsConnection, consumer: Consumer, service: str) -> int:
    stream, durable = streams.stream_name(service), f"{consumer.name}-rebuild"
    await streams.delete_consumer(nats, stream, durable)
    puller = consumer.puller(nats, service, durable=durable)
    try:
        while True:
            try:
                await puller.begin()
                return await _drain(database, puller, consumer)
            except NotFoundError:
                return 0  # a service that never published has nothing to say again
            except Interrupted as interruption:
                logger.info("replay_rewinds", extra={"stream": stream, "reason": interruption.code})
            finally:
                await puller.end()
    finally:
        await streams.delete_consumer(nats, stream, durable)


async def _drain(database: Database, puller: Puller, consumer: Consumer) -> int:
    applied = 0
    while (arrivals := await puller.next_if_any()) is not None:
        readable = [arrival for arrival in arrivals if arrival.received is not None]
        async with database.transaction() as session:
            await run_handlers(session, consumer, readable)
        await puller.acknowledge(arrivals)
        applied += len(readable)
    return applied
