"""Slowing down who guesses: failures on a name or from an address make the next guess wait, longer each time."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from database import raw
from identity.throttling.rates import TooOften
from identity.throttling.rules import OF_ACCOUNT, Allowance, wait_after
from identity.throttling.tables import GuessCount

# All of these take the rows in one order, so that two guesses never wait for each other in a circle. Where nobody has
# to wait, that is so since ever: whoever read the clock earlier, or on another machine, may reach the row later.
_ADD = """
insert into guess_count as kept (subject, failures, blocked_until, expires_at)
select subject, 1, 'epoch', expires_at from unnest($1::bytea[], $2::timestamptz[]) as guessed (subject, expires_at)
order by subject
on conflict (subject) do update set
    failures = case when kept.expires_at <= $3 then 1 else kept.failures + 1 end, expires_at = excluded.expires_at
returning subject, failures, blocked_until
"""
_WAIT = """
update guess_count as kept set blocked_until = brought.blocked_until
from unnest($1::bytea[], $2::timestamptz[]) as brought (subject, blocked_until) where kept.subject = brought.subject
"""
_TAKE_BACK = """
with mine as (
    select subject, brought.blocked_until
    from guess_count join unnest($1::bytea[], $2::timestamptz[]) as brought (subject, blocked_until) using (subject)
    order by subject for update of guess_count
)
update guess_count as kept set
    failures = greatest(kept.failures - 1, 0),
    blocked_until = case when kept.blocked_until = mine.blocked_until then 'epoch' else kept.blocked_until end
from mine where kept.subject = mine.subject
"""


class Guess(NamedTuple):
    """A guess that may be made, and counts as a failure until it is taken back.

    `subject` is at whose secret; `waits` has all that it is counted for, and until when each waits because of it.
    """

    subject: bytes
    waits: Mapping[bytes, datetime]


async def begin_guess(
    session: AsyncSession, subject: bytes, *, beside: Mapping[bytes, Allowance] | None = None, now: datetime
) -> Guess:
    """Count a guess before it is checked, or raise `TooOften` while its subject, or what is beside it, has to wait.

    However many come at the same moment, no more are checked than cost nothing. A guess that has to wait counts for
    nothing once the exception has undone the transaction, so no wait grows while others go on guessing; it lasts
    `LONGEST_WAIT` at most, and nobody is locked out for good. Where the check takes long, let the transaction commit
    before it; then `forgive` a guess that was right, and leave one that was wrong as it is.
    """
    allowances = {subject: OF_ACCOUNT, **(beside or {})}
    expiries = [now + allowance.forgotten_after for allowance in allowances.values()]
    connection = await raw(session)
    rows = await connection.fetch(_ADD, list(allowances), expiries, now)
    blocked = max(row["blocked_until"] for row in rows)
    if blocked > now:
        raise TooOften(max(1, math.ceil((blocked - now).total_seconds())))
    waits = {row["subject"]: now + wait_after(row["failures"], allowances[row["subject"]].free) for row in rows}
    brought = {waiting: until for waiting, until in waits.items() if until > now}
    if brought:
        await connection.execute(_WAIT, list(brought), list(brought.values()))
    return Guess(subject, waits)


async def forgive(session: AsyncSession, guess: Guess) -> None:
    """Take back a guess that was right, and forget all failures of its subject."""
    await take_back(session, guess)
    await session.execute(delete(GuessCount).where(GuessCount.subject == guess.subject))


async def take_back(session: AsyncSession, guess: Guess) -> None:
    """Let a guess not count, nor the wait it brought: it was right, or never checked."""
    await (await raw(session)).execute(_TAKE_BACK, list(guess.waits), list(guess.waits.values()))
