"""What a person gets of the receipts of their acts, and what is forgotten of them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from database import raw
from gateway.erasing import erase_people
from privacy import Told

_RECEIPTS = """
select op_id, kind, subject_id, result, status, problem, subject_version, acted_at, received_at,
       actor_id is not null as by_helper
from sync_receipt where person_id = $1 order by received_at, op_id
"""

compose = Told(sync_receipts=_RECEIPTS).compose


async def forget(session: AsyncSession, person_ids: Sequence[UUID]) -> None:
    """Forget the receipts of these people; as a helper, whom they name no more."""
    connection = await raw(session)
    await erase_people(connection)
    await connection.execute("delete from sync_receipt where person_id = any($1::uuid[])", list(person_ids))
    await connection.execute(
        "update sync_receipt set actor_id = null where actor_id = any($1::uuid[])", list(person_ids)
    )
