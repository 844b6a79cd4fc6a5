"""The background half of the gateway: its read models, kept from the events of all services, and its audit."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import urlsplit

import messaging
import orgtree
import privacy
from background import Job
from gateway.changes import event_handlers as changes
from gateway.changes import own_data as changes_own_data
from gateway.changes.keeping import KEEPING
from gateway.contributions import event_handlers as contributions
from gateway.contributions import own_data as contributions_own_data
from gateway.home import event_handlers as home
from gateway.home import own_data as home_own_data
from gateway.quotas import event_handlers as quotas
from gateway.settings import Settings
from gateway.supervision import history
from gateway.supervision.certificates import Certificates
from gateway.sync import own_data as sync_own_data
from gateway.sync import receipts

OWN_DATA: privacy.AllOwnData = (home_own_data, changes_own_data, contributions_own_data, sync_own_data)
# The rollups go up the tree, so tree and figures are one projection and are rebuilt together.
OVERVIEW = messaging.Consumer("gateway-overview", handlers={**orgtree.HANDLERS, **contributions.HANDLERS})
HOME = messaging.Consumer("gateway-home", handlers=home.HANDLERS)
CHANGES = messaging.Consumer("gateway-changes", handlers=changes.HANDLERS)
# Apart from the read models, so that a rebuild of theirs neither composes nor forgets anything anew.
PRIVACY = messaging.Consumer("gateway-privacy", handlers=privacy.handlers(OWN_DATA))
QUOTAS = messaging.Consumer("gateway-quotas", handlers=quotas.HANDLERS)
CONSUMERS = (OVERVIEW, HOME, CHANGES, PRIVACY, QUOTAS)

JOBS = (
    Job("fold_rollups", timedelta(seconds=1), orgtree.fold, rests=True),
    Job("sync_months", timedelta(hours=6), receipts.keep_months),
    Job("forget_state_changes", timedelta(hours=6), history.forget_old),
    Job("recount_rollups", orgtree.LOOK_EVERY, orgtree.NightlyRecount(contributions.FACTS)),
    KEEPING,
)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Sequence[Job]]:
    """Give the job that needs to know where all are."""
    door = urlsplit(settings.issuer)._replace(path="").geturl()
    certificates = Certificates({"gateway": door, **settings.upstreams})
    yield (Job("look_at_certificates", timedelta(hours=1), certificates),)
