"""The background half of members: the roles' permissions, exports and erasures, and what is done once a day."""

from collections.abc import Mapping
from datetime import timedelta

import orgtree
import privacy
from audit.witnessing import Witness
from background import Job
from contracts import Event
from contracts.identity import IdentityAuditCheckpointedV1, RoleDefinedV1
from members.files import own_data as files
from members.files.counting import count_anew_as_of_today
from messaging import Consumer, Handler

WITNESS = Witness(IdentityAuditCheckpointedV1)
"""What identity tells of its audit is signed here, with a key that identity lacks."""

OWN_DATA: privacy.AllOwnData = (files,)
# Of the organisations and affiliations this service itself is the source: its commands keep its copy of the tree.
HANDLERS: Mapping[type[Event], Handler] = {
    RoleDefinedV1: orgtree.HANDLERS[RoleDefinedV1],
    **privacy.handlers(OWN_DATA),
    **WITNESS.handlers,
}
CONSUMERS = (Consumer("members", handlers=HANDLERS),)
JOBS = (Job("count_anew_as_of_today", timedelta(minutes=30), count_anew_as_of_today),)
