"""The background half of identity: its relay, its copy of the organisation tree, its periodic jobs."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

import messaging
import privacy
from background import Job
from channels import Delivery, channel_of
from identity.account_lists.opening import open_what_is_approved
from identity.account_lists.telling import TOLD as ACCOUNT_LIST
from identity.assistance.commands import close_what_is_over
from identity.assistance.event_handlers import HANDLERS as ASSISTANCE_HANDLERS
from identity.clients.telling import TOLD as CLIENT
from identity.deactivation.event_handlers import HANDLERS
from identity.housekeeping import delete_expired
from identity.messages.tables import OF_NOBODY, MessageToSend
from identity.phone_proofs.event_handlers import HANDLERS as PROOF_HANDLERS
from identity.phone_replacement.completion import apply_what_is_ready
from identity.privacy import own_data
from identity.privacy.erasure import tell_again
from identity.roles.periods import end_what_is_over
from identity.roles.telling import ROLE, ROLE_ASSIGNMENT
from identity.settings import Settings
from identity.signing.rotation import RotationJob
from identity.telling import ACCOUNT, SESSION
from identity.witness import WITNESS

OWN_DATA: privacy.AllOwnData = (own_data, privacy.reach)
CONSUMERS = (
    messaging.Consumer(
        "identity",
        handlers={
            **HANDLERS,
            **WITNESS.handlers,
            **ASSISTANCE_HANDLERS,
            **PROOF_HANDLERS,
            **privacy.handlers(OWN_DATA),
        },
    ),
)
TOLD: Sequence[messaging.Told] = (ROLE_ASSIGNMENT, SESSION, ACCOUNT, ACCOUNT_LIST, CLIENT, ROLE)
JOBS = (
    Job("open_listed_accounts", timedelta(seconds=2), open_what_is_approved, rests=True),
    Job("end_roles_over", timedelta(minutes=5), end_what_is_over),
    Job("tell_erasures_again", timedelta(hours=6), tell_again),
    Job("delete_expired", timedelta(hours=1), delete_expired),
)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Sequence[Job]]:
    """Open the channel to people's phones and give the jobs that need it or the keys."""
    delivery = Delivery(settings.ring, channel_of(settings), MessageToSend, moot=OF_NOBODY)
    try:
        yield (
            Job("deliver_messages", timedelta(seconds=1), delivery.run, rests=True),
            Job("rotate_keys", timedelta(hours=1), RotationJob(settings.ring)),
            Job("apply_phone_replacements", timedelta(minutes=1), partial(apply_what_is_ready, settings.ring)),
            Job("close_assisted_sessions", timedelta(seconds=10), partial(close_what_is_over, settings.ring)),
        )
    finally:
        await delivery.close()
