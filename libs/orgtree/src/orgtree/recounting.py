"""The nightly recount of the kept rollups: told by a metric and a log line, repaired by nobody unasked.

What keeps the rollups is not trusted to judge them. A difference is a fault to be found, and setting it right at once
would hide it; `mend` and `mend_by_facts` do that when somebody has looked.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from prometheus_client import Gauge
from sqlalchemy.ext.asyncio import AsyncSession

from china_time import CHINA
from database import Database, closing, raw, utc_now
from orgtree.lock import lock_tree
from orgtree.rollups import Delta, Difference, add_deltas, fold_here, mend, recount

logger = logging.getLogger(__name__)

DRIFT = Gauge(
    "orgtree_rollup_drift",
    "Kept values and sets of people that the last recount found different: totals by own values, those by the facts.",
    ["part"],
)
RECOUNTED_AT = Gauge("orgtree_rollup_recounted_timestamp_seconds", "When the last recount ended.", ["part"])

NIGHT_HOUR = 2
LOOK_EVERY = timedelta(minutes=10)
"""How often a service's job asks whether the night has come."""

_MOST = 1_000
_SECONDS = 3_600.0
_MEND_SECONDS = 600.0
_FORGET_AFTER = 3 * LOOK_EVERY

# Deltas are noted in the transaction that changes the facts, so a snapshot holds them and the folded values together.
_COMPARE = """
with facts (organisation_id, measure, person, value) as ({facts}), kept as (
    select {key}, sum(value)::bigint as value from (
        select {key}, value from {table} union all select {key}, delta from rollup_delta where {wanted}
    ) as noted group by {key}
), counted as (
    select {key}, sum(value)::bigint as value from facts where {wanted} group by {key}
)
select {key}, coalesce(kept.value, 0) as kept, coalesce(counted.value, 0) as counted
from kept full join counted using ({key})
where coalesce(kept.value, 0) <> coalesce(counted.value, 0)
order by {key} limit $1
"""
_OWN = {"key": "organisation_id, measure", "table": "rollup_own", "wanted": "true"}
_PEOPLE = {"key": "organisation_id, measure, person", "table": "rollup_person", "wanted": "person is not null"}


class NightlyRecount:
    """A job's work, asked every ten minutes: at two o'clock in China it recounts all that the service keeps.

    `facts` is a select of (organisation_id uuid, measure text, person bigint, value bigint): what the service's own
    tables say each organisation counts for itself; the person is a mark, null where it is about nobody. A process that
    slept through the hour recounts when it wakes. One that is no longer asked, since another leads the job, no longer
    tells what it found: that may have been set right meanwhile.
    """

    def __init__(self, facts: str) -> None:
        self._compare_own = _COMPARE.format(facts=facts, **_OWN)
        self._compare_people = _COMPARE.format(facts=facts, **_PEOPLE)
        self._next: datetime | None = None
        self._forgetting: asyncio.TimerHandle | None = None

    async def __call__(self, database: Database) -> None:
        """Recount if the night has come since this process last did, or began."""
        now = utc_now()
        if self._forgetting is not None:
            self._forgetting.cancel()
        try:
            if self._next is not None and now >= self._next:
                await self.recount(database)
            if self._next is None or now >= self._next:
                self._next = night_after(now)
        finally:
            seconds = _FORGET_AFTER.total_seconds()
            self._forgetting = asyncio.get_running_loop().call_later(seconds, DRIFT.clear)

    async def recount(self, database: Database) -> None:
        """Compare the totals with the own values and these with the facts, and tell what differs."""
        async with closing(database.connect(default_transaction_read_only="on")) as connection:
            _tell("totals", await recount(connection, limit=_MOST, within_seconds=_SECONDS))
            rows = await connection.fetch(self._compare_own, _MOST, timeout=_SECONDS)
            found = [Difference(*row) for row in rows]
            for place, measure, _, *numbers in await connection.fetch(self._compare_people, _MOST, timeout=_SECONDS):
                found.append(Difference(place, f"people of {measure}", *numbers))
            _tell("own_values", found)


async def mend_by_facts(session: AsyncSession, facts: str) -> tuple[int, int]:
    """Set own values and totals to what `facts` (as of `NightlyRecount`) say; give how many of each were wrong.

    Nothing folds or moves meanwhile, for ten minutes at most; what is noted meanwhile counts on top. Deltas that wait
    are folded too, so that the totals are right when it commits.
    """
    connection = await raw(session)
    await connection.execute(f"set local transaction_timeout = '{_MEND_SECONDS:.0f}s'")
    await lock_tree(session)
    people = await connection.fetch(_COMPARE.format(facts=facts, **_PEOPLE), None, timeout=_MEND_SECONDS)
    own = await connection.fetch(_COMPARE.format(facts=facts, **_OWN), None, timeout=_MEND_SECONDS)
    deltas = [Delta(row["organisation_id"], row["measure"], row["counted"] - row["kept"]) for row in own]
    for place, measure, person, kept, counted in people:
        # What differs of the value as a whole is noted above: here it changes hands.
        deltas += [Delta(place, measure, counted - kept, person), Delta(place, measure, kept - counted)]
    await add_deltas(session, deltas)
    await fold_here(session)
    return len(own) + len(people), await mend(session, within_seconds=_MEND_SECONDS)


def night_after(now: datetime) -> datetime:
    """Give the next two o'clock at night in China that comes after `now`."""
    local = now.astimezone(CHINA)
    night = local.replace(hour=NIGHT_HOUR, minute=0, second=0, microsecond=0)
    return night if night > local else night + timedelta(days=1)


def _tell(part: str, differences: Sequence[Difference]) -> None:
    DRIFT.labels(part).set(len(differences))
    RECOUNTED_AT.labels(part).set_to_current_time()
    if not differences:
        logger.info("rollups_recounted", extra={"part": part})
        return
    first = differences[0]
    found = {"organisation_id": first.organisation_id, "kind": first.measure}
    found |= {"kept": first.kept, "counted": first.counted}
    logger.error("rollup_drift", extra={"part": part, "differing": len(differences), **found})
