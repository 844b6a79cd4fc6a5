"""Which authorization request a sign-in was made for, so that none passes for the answer to a later one."""

import hashlib
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from identity.levels import SignedIn
from identity.pages.requests import Parameters
from identity.sessions.tables import BrowserSession

PATIENCE: Final = timedelta(minutes=10)
"""How long after signing in for a request a person may take over the pages that follow, before it gets its answer."""
_OURS: Final = "ui_locales"
"""What our own pages change of a request: the link to the other language."""


def request_hash(parameters: Parameters) -> bytes:
    """Give what a request is known by, in whatever language its pages are shown; a right one has random parts."""
    told = sorted((name, value) for name, value in parameters.items() if name != _OURS)
    return hashlib.sha256(urlencode(told).encode()).digest()


async def keep_waiting(session: AsyncSession, person: SignedIn, parameters: Parameters) -> None:
    """Note that the person signed in for this request, which gets its answer on a later page."""
    await _note(session, person, request_hash(parameters))


async def answered(session: AsyncSession, person: SignedIn) -> None:
    """Note that the request the person signed in for has its answer: the next one is another, though it be the same."""
    if person.waiting_request is not None:
        await _note(session, person, None)


async def _note(session: AsyncSession, person: SignedIn, waiting: bytes | None) -> None:
    here = BrowserSession.session_id == person.session_id
    await session.execute(update(BrowserSession).where(here).values(waiting_request=waiting))
