"""The background half of members: the relay, the roles' permissions, and what is done once a day."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import messaging
import orgtree
from contracts.identity import RoleDefinedV1
from database import Database
from members.files.counting import count_anew_as_of_today
from members.settings import Settings
from webapi import purge_idempotency_keys

# Of the organisations and affiliations this service itself is the source: its commands keep its copy of the tree.
CONSUMERS = (messaging.Consumer("members", handlers={RoleDefinedV1: orgtree.HANDLERS[RoleDefinedV1]}),)

JOBS = (
    messaging.Job("count_anew_as_of_today", timedelta(minutes=30), count_anew_as_of_today),
    messaging.Job("purge_idempotency_keys", timedelta(hours=1), purge_idempotency_keys),
)


@asynccontextmanager
async def open_worker(settings: Settings, database: Database) -> AsyncIterator[messaging.Worker]:
    """Open the worker on the process's database, with a connection to NATS of its own."""
    nats = await messaging.connect(settings.nats_url, name="members")
    try:
        yield messaging.Worker("members", database, nats, CONSUMERS, JOBS, replicas=settings.nats_replicas)
    finally:
        await nats.close()
