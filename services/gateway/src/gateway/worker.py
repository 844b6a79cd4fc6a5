"""The background half of the gateway: its read models, kept from the events of all services."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import messaging
import orgtree
from database import Database
from gateway.contributions import event_handlers as contributions
from gateway.home import event_handlers as home
from gateway.settings import Settings

# The rollups go up the tree, so tree and figures are one projection and are rebuilt together.
OVERVIEW = messaging.Consumer("gateway-overview", handlers={**orgtree.HANDLERS, **contributions.HANDLERS})
HOME = messaging.Consumer("gateway-home", handlers=home.HANDLERS)
CONSUMERS = (OVERVIEW, HOME)

JOBS = (
    messaging.Job("fold_rollups", timedelta(seconds=1), orgtree.fold),
    messaging.Job("recount_rollups", orgtree.LOOK_EVERY, orgtree.NightlyRecount(contributions.FACTS)),
)


@asynccontextmanager
async def open_worker(settings: Settings, database: Database) -> AsyncIterator[messaging.Worker]:
    """Connect to NATS and give the worker; the connection ends with the block."""
    nats = await messaging.connect(settings.nats_url, name="gateway")
    try:
        yield messaging.Worker("gateway", database, nats, CONSUMERS, JOBS, replicas=settings.nats_replicas)
    finally:
        await nats.close()
