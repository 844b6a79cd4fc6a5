"""The background half of members: the relay, the roles' permissions, and what is done once a day."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta

import audit.sealing
import messaging
import orgtree
import privacy
from audit.witnessing import Witness
from contracts import Event
from contracts.identity import IdentityAuditCheckpointedV1, RoleDefinedV1
from contracts.members import MembersAuditCheckpointedV1
from database import Database
from members import own_data
from members.files.counting import count_anew_as_of_today
from members.settings import Settings
from messaging import Handler
from webapi import purge_idempotency_keys

WITNESS = Witness(IdentityAuditCheckpointedV1)
"""What identity tells of its audit is signed here, with a key that identity lacks."""

# Of the organisations and affiliations this service itself is the source: its commands keep its copy of the tree.
HANDLERS: Mapping[type[Event], Handler] = {
    RoleDefinedV1: orgtree.HANDLERS[RoleDefinedV1],
    **privacy.handlers(own_data.forget),
    **WITNESS.handlers,
}
CONSUMERS = (messaging.Consumer("members", handlers=HANDLERS),)

JOBS = (
    messaging.Job("count_anew_as_of_today", timedelta(minutes=30), count_anew_as_of_today),
    messaging.Job("purge_idempotency_keys", timedelta(hours=1), purge_idempotency_keys),
)


@asynccontextmanager
async def open_worker(settings: Settings, database: Database) -> AsyncIterator[messaging.Worker]:
    """Open the worker on the process's database, with a connection to NATS of its own."""
    nats = await messaging.connect(settings.nats_url, name="members")
    try:
        ring = settings.ring
        WITNESS.keys = ring
        jobs = (
            *JOBS,
            *audit.sealing.jobs(MembersAuditCheckpointedV1, keep_days=settings.audit_days),
            privacy.Parts("members", own_data.composer(ring), ring).composing,
            privacy.replaying(nats, "members", own_data.forget),
        )
        yield messaging.Worker("members", database, nats, CONSUMERS, jobs, replicas=settings.nats_replicas)
    finally:
        await nats.close()
