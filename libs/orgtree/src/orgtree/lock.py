"""Who moves organisations or folds counts does it alone."""

from sqlalchemy.ext.asyncio import AsyncSession

from database import raw

# The lock belongs to the very table that the search path finds, so that a rebuild in a schema of its own and the live
# tree do not wait for each other; and that table is held first, so that a rebuilt one cannot take its place meanwhile.
_HOLD = "lock table organisation in access share mode"
_LOCK = """
select pg_advisory_xact_lock(hashtextextended('orgtree', 'organisation'::regclass::oid::bigint)),
    current_setting('transaction_isolation') as isolation
"""


async def lock_tree(session: AsyncSession) -> None:
    """Make this transaction the only one that moves organisations or folds counts, until it ends.

    `place_organisations` and `fold` take it themselves. A command that locks rows of `organisation` before it moves
    one calls this first, or it could wait for a consumer that waits for it.
    """
    connection = await raw(session)
    await connection.execute(_HOLD)
    row = await connection.fetchrow(_LOCK)
    if row is None or row["isolation"] != "read committed":
        # An older snapshot would not show what the previous holder of the lock has just committed.
        raise RuntimeError("the organisation tree is written in read committed transactions only")
