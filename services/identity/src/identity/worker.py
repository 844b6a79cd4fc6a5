"""The background half of identity: its relay, its copy of the organisation tree, its periodic jobs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import audit.sealing
import messaging
import privacy
from contracts.identity import IdentityAuditCheckpointedV1
from database import Database, utc_now
from identity.accounts.event_handlers import HANDLERS
from identity.assistance.commands import Closing
from identity.assistance.event_handlers import HANDLERS as ASSISTANCE_HANDLERS
from identity.auditing.witnessing import WITNESS
from identity.housekeeping import delete_expired
from identity.messages.channels import GatewayKey, TencentSms
from identity.messages.delivering import Delivery
from identity.phone_replacement.applying import Applying
from identity.privacy import own_data
from identity.privacy.erasure import tell_again
from identity.privacy.forgetting import forget
from identity.roles.periods import end_what_is_over
from identity.settings import Settings
from identity.signing.rotation import RotationJob
from webapi import purge_idempotency_keys

CONSUMERS = (
    messaging.Consumer(
        "identity",
        handlers={**HANDLERS, **WITNESS.handlers, **ASSISTANCE_HANDLERS, **privacy.handlers(forget)},
    ),
)
JOBS = (
    messaging.Job("end_roles_over", timedelta(minutes=5), end_what_is_over),
    messaging.Job("purge_idempotency_keys", timedelta(hours=1), purge_idempotency_keys),
    messaging.Job("tell_erasures_again", timedelta(hours=6), tell_again),
    messaging.Job("delete_expired", timedelta(hours=1), delete_expired),
)


@asynccontextmanager
async def open_worker(settings: Settings, database: Database) -> AsyncIterator[messaging.Worker]:
    """Connect to NATS and give the worker; the connection ends with the block."""
    ring = settings.ring
    WITNESS.keys = ring
    delivery = Delivery(ring, channel_of(settings))
    jobs = (
        *JOBS,
        *audit.sealing.jobs(IdentityAuditCheckpointedV1, keep_days=settings.audit_days),
        messaging.Job("deliver_messages", timedelta(seconds=1), delivery.run),
        messaging.Job("rotate_keys", timedelta(hours=1), RotationJob(ring)),
    )
    jobs = (
        *jobs,
        messaging.Job("apply_phone_replacements", timedelta(minutes=1), Applying(ring).run),
        messaging.Job("close_assisted_sessions", timedelta(seconds=10), Closing(ring).run),
        privacy.Parts("identity", own_data.composer(ring), ring).composing,
    )
    nats = await messaging.connect(settings.nats_url, name="identity")
    try:
        jobs = (*jobs, privacy.replaying(nats, "identity", forget))
        yield messaging.Worker("identity", database, nats, CONSUMERS, jobs, replicas=settings.nats_replicas)
    finally:
        await nats.close()
        await delivery.close()


def channel_of(settings: Settings) -> TencentSms | None:
    """Give the channel to people's phones that the settings describe, None when they describe none."""
    if settings.sms_url is None:
        return None
    return TencentSms(
        settings.sms_url,
        GatewayKey(settings.sms_key_id, settings.sms_token.get_secret_value()),
        application=settings.sms_application,
        signature=settings.sms_signature,
        region=settings.sms_region,
        templates=settings.templates,
        clock=utc_now,
    )
