"""The names of an account and its password, as they are kept and as people type them."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from database import KeyRing
from identity.accounts.phones import normalised_phone, phone_index
from identity.accounts.tables import Credential, Identifier
from identity.credentials.rules import normalised_username

_LONGEST_NAME = 256


class Named(NamedTuple):
    """What somebody typed as their name: the one spelling of it, and the predicate of the names it may mean."""

    spelling: str
    identifiers: ColumnElement[bool]


def named(ring: KeyRing, typed: str) -> Named:
    """Take what was typed for a username or for a phone number, in any writing; what can be neither costs the same."""
    phone, username = normalised_phone(typed), normalised_username(typed)
    spelling = phone or username or typed[:_LONGEST_NAME]
    by_username = and_(Identifier.kind == "username", Identifier.plain == (username or ""))
    by_phone = and_(Identifier.kind == "phone", Identifier.blind_index == phone_index(ring, spelling))
    return Named(spelling, or_(by_username, by_phone))


async def username_of(session: AsyncSession, account_id: UUID) -> str | None:
    """Give the username of an account."""
    mine = Identifier.account_id == account_id, Identifier.kind == "username"
    return await session.scalar(select(Identifier.plain).where(*mine))


async def encoding_of(session: AsyncSession, account_id: UUID) -> str | None:
    """Give the encoded password of an account, None when it has none."""
    mine = Credential.account_id == account_id, Credential.kind == "password"
    return await session.scalar(select(Credential.secret).where(*mine))


async def first_encoding_of(session: AsyncSession, account_id: UUID) -> str | None:
    """Give the encoded password that an account was opened with, None when its owner has chosen one since."""
    mine = Credential.account_id == account_id, Credential.kind == "password", Credential.first_until.is_not(None)
    return await session.scalar(select(Credential.secret).where(*mine).with_for_update())


async def set_password(
    session: AsyncSession, *, account_id: UUID, encoding: str, new_id: Callable[[], UUID], now: datetime
) -> None:
    """Make this encoded password, which its owner chose, the account's one password."""
    stated = insert(Credential).values(
        credential_id=new_id(), account_id=account_id, kind="password", secret=encoding, set_at=now
    )
    await session.execute(
        stated.on_conflict_do_update(
            index_elements=[Credential.account_id],
            index_where=text("kind = 'password'"),  # as a parameter, a generic plan could not tell which index
            set_={"secret": encoding, "set_at": now, "first_until": None},
        )
    )


async def count_as_phone(session: AsyncSession, account_id: UUID, *, until: datetime | None) -> None:
    """Let the account's password prove no more than its phone until then; with None it is what its owner knows."""
    its = (Credential.account_id == account_id, Credential.kind == "password")
    await session.execute(update(Credential).where(*its).values(phone_alone_until=until))
