"""Signing keys take turns: the next is published long before it signs, a retired one long after it signed last."""

import logging
from argparse import ArgumentParser, Namespace
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from background import Ends
from database import Database, KeyRing, utc_now
from identity.signing.keys import SigningKeys
from identity.signing.tables import SigningKey
from webapi.sealing import SealingSettings

ROTATION_EVERY = timedelta(days=30)
PUBLISHED_BEFORE_USE = timedelta(hours=1)
"""Longer than any verifier keeps the set: services five minutes, and others what `Cache-Control` allows, the same."""
KEPT_AFTER_RETIREMENT = timedelta(days=90)
"""How long the public part of a retired key stays here, for the ID tokens that come back at the end of a session."""
_LOCK = 0x726F74617465  # one advisory lock for all rotations of a database; any constant will do
_log = logging.getLogger(__name__)


class KeyUnknown(Exception):
    """There is no signing key of this id, or it signs no more and was deleted."""


class Rotation(NamedTuple):
    """What a look at the keys did: the key that signs until another is due, the one that will, and if they changed."""

    active: str
    following: str
    rotated: bool
    next_may_sign_at: datetime
    signs_until: datetime


async def rotate(session: AsyncSession, keys: SigningKeys, *, now: datetime, due_after: timedelta) -> Rotation:
    """Let the next key sign when the active one has signed for `due_after` and the next was published long enough.

    There is always a next one afterwards.
    """
    await session.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    active, following = await _row(session, "active"), await _row(session, "next")
    if active is None:
        raise KeyUnknown("active")
    rotated, due = False, now - (active.activated_at or now) >= due_after
    if following is not None and due and now >= following.made_at + PUBLISHED_BEFORE_USE:
        active.state, active.retired_at, active.sealed_private = "retired", now, None
        await session.flush()  # first: one key is active at a time
        following.state, following.activated_at = "active", now
        rotated = True
        await session.flush()
    await session.execute(
        delete(SigningKey).where(SigningKey.state == "retired", SigningKey.retired_at < now - KEPT_AFTER_RETIREMENT)
    )
    return await _completed(session, keys, rotated=rotated, now=now)


async def revoke_key(session: AsyncSession, keys: SigningKeys, kid: str, *, now: datetime) -> Rotation:
    """Delete a key that somebody else may know: from now on nothing it signed holds, wherever the set is read anew.

    When it was the one that signs, the next takes its place at once. Raises `KeyUnknown`.
    """
    await session.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    state = await session.scalar(delete(SigningKey).where(SigningKey.kid == kid).returning(SigningKey.state))
    if state is None:
        raise KeyUnknown(kid)
    if state == "active":
        following = await _row(session, "next")
        if following is None:
            await keys.create(session, state="active", now=now)
        else:
            following.state, following.activated_at = "active", now
            await session.flush()
    _log.warning("signing_key_revoked", extra={"key_id": kid, "state": state})
    return await _completed(session, keys, rotated=state == "active", now=now)


class RotationJob:
    """Rotates every 30 days, and sees to it that a next key is published; run once an hour."""

    def __init__(self, ring: KeyRing) -> None:
        self._keys = SigningKeys(ring)

    async def __call__(self, database: Database) -> Ends | None:
        """Look, rotate when it is due, and say how long the key signs."""
        now = utc_now()
        async with database.transaction() as session:
            if await _row(session, "active") is None:
                return None  # the first start has not come that far
            done = await rotate(session, self._keys, now=now, due_after=ROTATION_EVERY)
        if done.rotated:
            _log.info("signing_key_rotated", extra={"key_id": done.active})
        return Ends({"signing_key": done.signs_until})


class RotateKeys:
    """Let the next signing key sign now, or delete a key that somebody else may know."""

    def declare(self, parser: ArgumentParser) -> None:
        """Add the one thing that may follow."""
        told = "delete this key at once; all tokens it signed die with it (--revoke=KID: it may begin with a hyphen)"
        parser.add_argument("--revoke", metavar="KID", help=told)

    async def __call__(self, settings: SealingSettings, database: Database, arguments: Namespace) -> str:
        """Rotate or revoke, and tell which keys there are now."""
        keys, now = SigningKeys(settings.ring), utc_now()
        async with database.transaction() as session:
            if arguments.revoke is not None:
                try:
                    done = await revoke_key(session, keys, arguments.revoke, now=now)
                except KeyUnknown:
                    return "there is no signing key of that id"
                return f"{arguments.revoke} is deleted; {done.active} signs, {done.following} is next"
            done = await rotate(session, keys, now=now, due_after=timedelta(0))
        if done.rotated:
            return f"{done.active} signs now, {done.following} is next"
        when = done.next_may_sign_at.isoformat(timespec="seconds")
        return f"nothing rotated: the next key, {done.following}, was published too lately and may sign from {when} on"


async def _row(session: AsyncSession, state: str) -> SigningKey | None:
    row: SigningKey | None = await session.scalar(select(SigningKey).where(SigningKey.state == state))
    return row


async def _completed(session: AsyncSession, keys: SigningKeys, *, rotated: bool, now: datetime) -> Rotation:
    following = await _row(session, "next")
    if following is None:
        await keys.create(session, state="next", now=now)
        following = await _row(session, "next")
    active = await _row(session, "active")
    if active is None or following is None:
        raise KeyUnknown("active")
    signs_until = (active.activated_at or now) + ROTATION_EVERY
    return Rotation(active.kid, following.kid, rotated, following.made_at + PUBLISHED_BEFORE_USE, signs_until)
