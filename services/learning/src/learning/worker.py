"""The background half of learning: what it consumes of others, and its kept counts of help requests."""

from datetime import timedelta

import orgtree
import privacy
from background import Job
from database import Database
from learning.courses.own_data import OWN_DATA as COURSES
from learning.help_requests.queries import FACTS
from learning.study import own_data as study
from messaging import Consumer
from webapi import ServiceSettings

OWN_DATA: privacy.AllOwnData = (privacy.branch, privacy.reach, COURSES, study)
CONSUMERS = (Consumer("learning", handlers={**orgtree.HANDLERS, **privacy.handlers(OWN_DATA)}),)
JOBS = (
    Job("fold_rollups", timedelta(seconds=1), orgtree.fold, rests=True),
    Job("recount_rollups", orgtree.LOOK_EVERY, orgtree.NightlyRecount(FACTS)),
)


async def mend_rollups(_: ServiceSettings, database: Database) -> str:
    """Set the kept figures to what a recount of the open requests gives."""
    async with database.transaction() as session:
        own_values, totals = await orgtree.mend_by_facts(session, FACTS)
    return f"{own_values} own values and {totals} totals set right"
