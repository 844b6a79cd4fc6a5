"""The background half of learning: relay, consumer, periodic jobs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import audit.sealing
import messaging
import orgtree
import privacy
from contracts.learning import LearningAuditCheckpointedV1
from database import Database
from learning import own_data
from learning.event_handlers import HANDLERS
from learning.help_requests.queries import FACTS
from learning.settings import Settings
from messaging import Consumer, Job
from webapi import purge_idempotency_keys

CONSUMERS = (Consumer("learning", handlers=HANDLERS),)
JOBS = (
    Job("fold_rollups", timedelta(seconds=1), orgtree.fold),
    Job("recount_rollups", orgtree.LOOK_EVERY, orgtree.NightlyRecount(FACTS)),
    Job("purge_idempotency_keys", timedelta(hours=1), purge_idempotency_keys),
)


@asynccontextmanager
async def open_worker(settings: Settings, database: Database) -> AsyncIterator[messaging.Worker]:
    """Open the worker on the process's database; the broker's connection is closed when it has drained."""
    nats = await messaging.connect(settings.nats_url, name="learning")
    try:
        jobs = (
            *JOBS,
            *audit.sealing.jobs(LearningAuditCheckpointedV1, keep_days=settings.audit_days),
            privacy.Parts("learning", own_data.compose).composing,
            privacy.replaying(nats, "learning", own_data.forget),
        )
        yield messaging.Worker("learning", database, nats, CONSUMERS, jobs, replicas=settings.nats_replicas)
    finally:
        await nats.close()


async def mend_rollups(_: Settings, database: Database) -> str:
    """Set the kept figures to what a recount of the open requests gives."""
    async with database.transaction() as session:
        own_values, totals = await orgtree.mend_by_facts(session, FACTS)
    return f"{own_values} own values and {totals} totals set right"
