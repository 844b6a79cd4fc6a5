"""Keeps an erasure and what writes homes from passing each other unseen: they take turns over one lock."""

import asyncpg

_BESIDE_EACH_OTHER = "select pg_advisory_xact_lock_shared(hashtextextended('home.erasing', 0))"
_ALONE = "select pg_advisory_xact_lock(hashtextextended('home.erasing', 0))"
_FORGET_ERASED = (
    "delete from home_item where audience in (select 'person:' || person_id from erased_person)",
    "delete from home_participation where person_id in (select person_id from erased_person)",
    "delete from home_study where person_id in (select person_id from erased_person)",
)


async def write_homes(connection: asyncpg.Connection) -> None:
    """Wait for an erasure under way, and hold back others until the transaction ends.

    A statement after this one sees the tombstones of all that came before.
    """
    await connection.execute(_BESIDE_EACH_OTHER)


async def erase_homes(connection: asyncpg.Connection) -> None:
    """Wait for all who write homes, and hold back others until the transaction ends.

    A statement after this one sees all that they wrote; who writes later sees the tombstones of this transaction.
    """
    await connection.execute(_ALONE)


async def forget_erased(connection: asyncpg.Connection) -> None:
    """Empty the homes of all who are erased: in rebuilt tables those may stand whose erasure met the live ones alone.

    What is erased while the connection's transaction lasts is erased in what it leaves behind.
    """
    await erase_homes(connection)
    for statement in _FORGET_ERASED:
        await connection.execute(statement)
