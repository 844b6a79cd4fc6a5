"""The background half of feedback: relay, consumer, periodic jobs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import messaging
from database import Database
from feedback.event_handlers import HANDLERS
from feedback.settings import Settings
from messaging import Consumer, Job
from webapi import purge_idempotency_keys

CONSUMERS = (Consumer("feedback", handlers=HANDLERS),)
JOBS = (Job("purge_idempotency_keys", timedelta(hours=1), purge_idempotency_keys),)


@asynccontextmanager
async def open_worker(settings: Settings, database: Database) -> AsyncIterator[messaging.Worker]:
    """Open the worker on the process's database; the broker's connection is closed when it has drained."""
    nats = await messaging.connect(settings.nats_url, name="feedback")
    try:
        yield messaging.Worker("feedback", database, nats, CONSUMERS, JOBS, replicas=settings.nats_replicas)
    finally:
        await nats.close()
