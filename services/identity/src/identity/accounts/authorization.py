"""The version of what an account may do: tokens of a former one hold nowhere any more."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.identity import AuthorizationChangedV1
from database import known
from identity.accounts.tables import Account
from messaging import Publication, append


class AccountUnknown(Exception):
    """The person has no account."""


async def lock_account(session: AsyncSession, person_id: UUID) -> None:
    """Let changes of what one person may do, or let others do, follow each other. Raises `AccountUnknown`."""
    locked = select(Account.account_id).where(Account.account_id == person_id).with_for_update()
    known(await session.scalar(locked), AccountUnknown)


async def raise_authorization_version(
    session: AsyncSession,
    person_id: UUID,
    *,
    now: datetime,
    actor: UUID | None = None,
    above: tuple[int, int] = (0, 0),
) -> int:
    """Count a change of what the account may do, and give its version: no token made before holds any more.

    The event's own version counts the changes told, without a gap. `above` are both numbers as a restore lost them.
    Raises `AccountUnknown`.
    """
    version, changes = above
    raised = (
        update(Account)
        .where(Account.account_id == person_id)
        .values(
            authorization_version=func.greatest(Account.authorization_version, version) + 1,
            authorization_changes=func.greatest(Account.authorization_changes, changes) + 1,
            authorization_changed_at=now,
        )
        .returning(Account.authorization_version, Account.authorization_changes)
    )
    version, changes = known((await session.execute(raised)).one_or_none(), AccountUnknown)
    event = AuthorizationChangedV1(person_id=person_id, authorization_version=version)
    await append(session, [Publication(event, version=changes)], actor=actor)
    return int(version)
