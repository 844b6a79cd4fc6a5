"""Every call of a helper in an assisted session is recorded, reads too: who acted, for whom, and what was refused."""

from audit.entries import by, record, refused
from database import Database, utc_now
from webapi import Principal


async def record_assisted(database: Database, principal: Principal, operation: str, rule: str | None) -> None:
    """Record a helper's call of an operation, in a transaction of its own before the call; `rule` refused it."""
    entry = by(principal).entry(operation)
    async with database.transaction() as session:
        await record(session, entry if rule is None else refused(entry, rule), now=utc_now())
