"""Slowing down who guesses: failures on a name or from an address make the next guess wait, longer each time."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, func, update
from sqlalchemy.ext.asyncio import AsyncSession

from database import raw
from identity.throttling.rates import TooOften
from identity.throttling.rules import OF_ACCOUNT, Allowance, wait_after
from identity.throttling.tables import GuessCount

_FIND = """
select subject, failures, blocked_until from guess_count
where subject = any ($1::bytea[]) and expires_at > $2
order by subject for update
"""
_ADD = """
insert into guess_count as kept (subject, failures, blocked_until, expires_at)
select subject, 1, $2, $2 from unnest($1::bytea[]) as guessed (subject) order by subject
on conflict (subject) do update set failures = case when kept.expires_at <= $2 then 1 else kept.failures + 1 end
returning subject, failures
"""
_WAIT = """
update guess_count as kept set blocked_until = told.blocked_until, expires_at = told.expires_at
from unnest($1::bytea[], $2::timestamptz[], $3::timestamptz[]) as told (subject, blocked_until, expires_at)
where kept.subject = told.subject
"""


class Guess(NamedTuple):
    """A guess that may be made: at whose secret, what it is counted for, and for which of them it is counted yet."""

    subject: bytes
    subjects: Mapping[bytes, Allowance]
    counted: frozenset[bytes]


async def begin_guess(
    session: AsyncSession, subject: bytes, *, beside: Mapping[bytes, Allowance] | None = None, now: datetime
) -> Guess:
    """Let a guess be made, or raise `TooOften` while its subject, or what is counted beside it, has to wait.

    Once a subject's patience has run out, a guess is counted before it is checked: of many at the same moment one is
    made. A guess that has to wait counts for nothing, so no wait grows while others go on guessing; it lasts
    `LONGEST_WAIT` at most, and nobody is locked out for good. Let the transaction commit before the check.
    """
    subjects = {subject: OF_ACCOUNT, **(beside or {})}
    rows = await (await raw(session)).fetch(_FIND, list(subjects), now)
    blocked = max((row["blocked_until"] for row in rows), default=now)
    if blocked > now:
        raise TooOften(max(1, math.ceil((blocked - now).total_seconds())))
    impatient = frozenset(row["subject"] for row in rows if row["failures"] >= subjects[row["subject"]].free)
    guess = Guess(subject, subjects, impatient)
    await _count(session, {subject: subjects[subject] for subject in impatient}, now=now)
    return guess


async def end_guess(session: AsyncSession, guess: Guess, *, right: bool, now: datetime) -> None:
    """Count a wrong guess for what it is not counted for yet; a right one makes all failures of its subject forgotten.

    Let the transaction commit, also when the guess was wrong.
    """
    if right:
        await take_back(session, guess, now=now)
        await session.execute(delete(GuessCount).where(GuessCount.subject == guess.subject))
        return
    uncounted = {subject: patience for subject, patience in guess.subjects.items() if subject not in guess.counted}
    await _count(session, uncounted, now=now)


async def take_back(session: AsyncSession, guess: Guess, *, now: datetime) -> None:
    """Take back what was counted before the check, with the wait it brought: the guess was right, or never checked."""
    if guess.counted:
        less = {"failures": func.greatest(GuessCount.failures - 1, 0), "blocked_until": now}
        counted = GuessCount.subject.in_(guess.counted)
        await session.execute(update(GuessCount).where(counted).values(less))


async def _count(session: AsyncSession, subjects: Mapping[bytes, Allowance], *, now: datetime) -> None:
    if not subjects:
        return
    connection = await raw(session)
    counted = [
        (
            row["subject"],
            now + wait_after(row["failures"], subjects[row["subject"]].free),
            now + subjects[row["subject"]].forgotten_after,
        )
        for row in await connection.fetch(_ADD, list(subjects), now)
    ]
    await connection.execute(_WAIT, *zip(*counted, strict=True))
