"""A session whose person has proved something more counts for more from then on."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from identity.levels import SignedIn, acr_of, joined
from identity.secrets import hash_of, new_secret
from identity.sign_in.tables import BrowserSession

ONE_SIGN_IN: Final = timedelta(minutes=10)
"""Within this both factors are one sign-in, which took place when the second was given."""


async def raise_session(
    session: AsyncSession, person: SignedIn, *ways: str, now: datetime
) -> tuple[SignedIn, str] | None:
    """Add what was proved to the person's session and give it with its cookie's new value; None when it has ended.

    A second factor that comes later than the rest of the sign-in raises the level and leaves the time as it was.
    """
    amr = joined(person.amr, *ways)
    since = now if now - person.signed_in_at <= ONE_SIGN_IN else person.signed_in_at
    cookie = new_secret()
    raised = await session.scalar(
        update(BrowserSession)
        .where(BrowserSession.session_id == person.session_id, BrowserSession.ended_at.is_(None))
        .values(amr=amr, acr=acr_of(amr), signed_in_at=since, cookie_hash=hash_of(cookie))
        .returning(BrowserSession.session_id)
    )
    if raised is None:
        return None
    return person._replace(acr=acr_of(amr), amr=amr, signed_in_at=since), cookie
