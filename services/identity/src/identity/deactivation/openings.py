"""Checking later, when an affiliation arrives, what could not be checked as an account was opened."""

import logging
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

import audit
from database import raw
from identity.sessions.revocation import end_all_sessions

logger = logging.getLogger(__name__)
_FORGET = """
update account set opened_within = null
from unnest($1::uuid[], $2::timestamptz[]) as affiliated (person_id, since)
where account_id = person_id and opened_within is not null and opened_at < since
"""
_CHECK = """
update account set
    opened_within = null,
    status = case when ancestors && opened_within then account.status else 'deactivated' end
from affiliation join organisation using (organisation_id)
where person_id = account_id and opened_within is not null and ancestors is not null
returning account_id, account.status
"""


async def check_openings(session: AsyncSession, *, now: datetime) -> None:
    """Deactivate the accounts whose openers turn out to have had no say over the person, and let the others be.

    An affiliation that began after the account was opened says nothing of that: `forget_openings_before` goes first.
    """
    checked = await (await raw(session)).fetch(_CHECK)
    for account_id in (row["account_id"] for row in checked if row["status"] == "deactivated"):
        await end_all_sessions(session, account_id, reason="deactivated", now=now)
        entry = audit.Entry(action="identity.account.deactivated", subject=account_id, rule="opened_outside_remit")
        await audit.record(session, entry, now=now)
        logger.warning("account_deactivated", extra={"account_id": account_id, "reason": "opened_outside_remit"})


async def forget_openings_before(session: AsyncSession, affiliated: Sequence[tuple[UUID, datetime]]) -> None:
    """Let the accounts be whose person was affiliated, at the time beside the id, only after the account was opened."""
    people, times = zip(*affiliated, strict=True)
    await (await raw(session)).execute(_FORGET, people, times)
