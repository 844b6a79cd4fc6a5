"""The background half of members: permissions, exports and erasures, messages to phones, what is done once a day."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import orgtree
import privacy
from audit.witnessing import Witness
from background import Job
from channels import Delivery, channel_of
from contracts import Event
from contracts.identity import IdentityAuditCheckpointedV1, RoleDefinedV1
from members.files import own_data as files
from members.files.counting import count_anew_as_of_today
from members.files.event_handlers import PHONE_MESSAGES
from members.files.indexing import Indexing
from members.files.telling import AFFILIATION, COMPOSITION
from members.organisations.telling import TOLD as ORGANISATION
from members.phone_messages.tables import PhoneMessage
from members.settings import Settings
from messaging import Consumer, Handler, Told

WITNESS = Witness(IdentityAuditCheckpointedV1)
"""What identity tells of its audit is signed here, with a key that identity lacks."""

OWN_DATA: privacy.AllOwnData = (files,)
# Of the organisations and affiliations this service itself is the source: its commands keep its copy of the tree.
HANDLERS: Mapping[type[Event], Handler] = {
    RoleDefinedV1: orgtree.HANDLERS[RoleDefinedV1],
    **privacy.handlers(OWN_DATA),
    **WITNESS.handlers,
    **PHONE_MESSAGES.handlers,
}
CONSUMERS = (Consumer("members", handlers=HANDLERS),)
TOLD: Sequence[Told] = (ORGANISATION, AFFILIATION, COMPOSITION)
JOBS = (Job("count_anew_as_of_today", timedelta(minutes=30), count_anew_as_of_today),)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Sequence[Job]]:
    """Open the channel to people's phones and give the jobs that need it or the keys."""
    PHONE_MESSAGES.ring, PHONE_MESSAGES.shared = settings.ring, settings.phone_ring
    delivery = Delivery(settings.ring, channel_of(settings), PhoneMessage)
    try:
        yield (
            Job("deliver_messages", timedelta(seconds=1), delivery.run, rests=True),
            Job("index_files", timedelta(seconds=5), Indexing(settings.ring, settings.phone_ring), rests=True),
        )
    finally:
        await delivery.close()
