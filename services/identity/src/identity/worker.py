"""The background half of identity: its relay, its copy of the organisation tree, its periodic jobs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import messaging
from database import Database
from identity.accounts.event_handlers import HANDLERS
from identity.housekeeping import delete_expired
from identity.settings import Settings
from webapi import purge_idempotency_keys

CONSUMERS = (messaging.Consumer("identity", handlers=HANDLERS),)
JOBS = (
    messaging.Job("purge_idempotency_keys", timedelta(hours=1), purge_idempotency_keys),
    messaging.Job("delete_expired", timedelta(hours=1), delete_expired),
)


@asynccontextmanager
async def open_worker(settings: Settings, database: Database) -> AsyncIterator[messaging.Worker]:
    """Connect to NATS and give the worker; the connection ends with the block."""
    nats = await messaging.connect(settings.nats_url, name="identity")
    try:
        yield messaging.Worker("identity", database, nats, CONSUMERS, JOBS, replicas=settings.nats_replicas)
    finally:
        await nats.close()
