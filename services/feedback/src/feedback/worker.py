"""The background half of feedback: relay, consumer, periodic jobs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import audit.sealing
import messaging
import privacy
from contracts.feedback import FeedbackAuditCheckpointedV1
from database import Database
from feedback import own_data
from feedback.event_handlers import HANDLERS
from feedback.settings import Settings
from messaging import Consumer, Job
from webapi import purge_idempotency_keys

CONSUMERS = (Consumer("feedback", handlers=HANDLERS),)
JOBS = (Job("purge_idempotency_keys", timedelta(hours=1), purge_idempotency_keys),)


@asynccontextmanager
async def open_worker(settings: Settings, database: Database) -> AsyncIterator[messaging.Worker]:
    """Open the worker on the process's database; the broker's connection is closed when it has drained."""
    ring = settings.ring
    nats = await messaging.connect(settings.nats_url, name="feedback")
    try:
        jobs = (
            *JOBS,
            *audit.sealing.jobs(FeedbackAuditCheckpointedV1, keep_days=settings.audit_days),
            privacy.Parts("feedback", own_data.composer(ring), ring).composing,
            privacy.replaying(nats, "feedback", own_data.forget),
        )
        yield messaging.Worker("feedback", database, nats, CONSUMERS, jobs, replicas=settings.nats_replicas)
    finally:
        await nats.close()
