"""The username of an account and its password, as it is kept."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from identity.accounts.tables import Credential, Identifier


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
