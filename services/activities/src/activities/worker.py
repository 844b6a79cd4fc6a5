"""The background half of activities: relay, consumer, periodic jobs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import audit.sealing
import messaging
import privacy
from activities import own_data
from activities.event_handlers import HANDLERS
from activities.settings import Settings
from contracts.activities import ActivitiesAuditCheckpointedV1
from database import Database
from messaging import Consumer, Job
from webapi import purge_idempotency_keys

CONSUMERS = (Consumer("activities", handlers=HANDLERS),)
JOBS = (Job("purge_idempotency_keys", timedelta(hours=1), purge_idempotency_keys),)


@asynccontextmanager
async def open_worker(settings: Settings, database: Database) -> AsyncIterator[messaging.Worker]:
    """Open the worker on the process's database; the broker's connection is closed when it has drained."""
    nats = await messaging.connect(settings.nats_url, name="activities")
    try:
        jobs = (
            *JOBS,
            *audit.sealing.jobs(ActivitiesAuditCheckpointedV1, keep_days=settings.audit_days),
            privacy.Parts("activities", own_data.compose).composing,
            privacy.replaying(nats, "activities", own_data.forget),
        )
        yield messaging.Worker("activities", database, nats, CONSUMERS, jobs, replicas=settings.nats_replicas)
    finally:
        await nats.close()
