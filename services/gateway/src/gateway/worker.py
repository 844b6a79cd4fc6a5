"""The background half of the gateway: its read models, kept from the events of all services, and its audit."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import audit.sealing
import messaging
import orgtree
import privacy
from contracts.gateway import GatewayAuditCheckpointedV1
from database import Database
from gateway import own_data
from gateway.contributions import event_handlers as contributions
from gateway.home import event_handlers as home
from gateway.quotas import event_handlers as quotas
from gateway.settings import Settings
from webapi import purge_idempotency_keys

# The rollups go up the tree, so tree and figures are one projection and are rebuilt together.
OVERVIEW = messaging.Consumer("gateway-overview", handlers={**orgtree.HANDLERS, **contributions.HANDLERS})
HOME = messaging.Consumer("gateway-home", handlers=home.HANDLERS)
# Apart from the read models, so that a rebuild of theirs neither composes nor forgets anything anew.
PRIVACY = messaging.Consumer("gateway-privacy", handlers=privacy.handlers(own_data.forget))
QUOTAS = messaging.Consumer("gateway-quotas", handlers=quotas.HANDLERS)
CONSUMERS = (OVERVIEW, HOME, PRIVACY, QUOTAS)

JOBS = (
    messaging.Job("fold_rollups", timedelta(seconds=1), orgtree.fold),
    messaging.Job("recount_rollups", orgtree.LOOK_EVERY, orgtree.NightlyRecount(contributions.FACTS)),
    messaging.Job("purge_idempotency_keys", timedelta(hours=1), purge_idempotency_keys),
)


@asynccontextmanager
async def open_worker(settings: Settings, database: Database) -> AsyncIterator[messaging.Worker]:
    """Connect to NATS and give the worker; the connection ends with the block."""
    nats = await messaging.connect(settings.nats_url, name="gateway")
    try:
        jobs = (
            *JOBS,
            *audit.sealing.jobs(GatewayAuditCheckpointedV1, keep_days=settings.audit_days),
            privacy.Parts("gateway", own_data.compose).composing,
            privacy.replaying(nats, PRIVACY.name, own_data.forget),
        )
        yield messaging.Worker("gateway", database, nats, CONSUMERS, jobs, replicas=settings.nats_replicas)
    finally:
        await nats.close()
