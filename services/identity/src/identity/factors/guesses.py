"""Guesses at second factors: five are free, then each waits longer, whatever browser or session they come from."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from database import KeyRing
from identity.throttling.guesses import Guess, begin_guess, count_failure, forget_failures, take_back
from identity.throttling.rates import subject_of
from identity.throttling.rules import OF_ACCOUNT


async def begin(session: AsyncSession, ring: KeyRing, account_id: UUID, *, now: datetime) -> Guess:
    """Let a second factor of the account be tried. Raises `throttling.rates.TooOften` while it has to wait."""
    return await begin_guess(session, {_subject(ring, account_id): OF_ACCOUNT}, now=now)


async def end(
    session: AsyncSession, ring: KeyRing, account_id: UUID, guess: Guess, *, right: bool, now: datetime
) -> None:
    """Count the guess or forget all before it. Let the transaction commit, also when the guess was wrong."""
    if right:
        await take_back(session, guess, now=now)
        await forget_failures(session, _subject(ring, account_id))
    else:
        await count_failure(session, guess, now=now)


def _subject(ring: KeyRing, account_id: UUID) -> bytes:
    return subject_of(ring, "second_factor", str(account_id))
