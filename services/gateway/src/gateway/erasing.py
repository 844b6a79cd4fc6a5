"""Keeps an erasure and what writes about people from passing each other unseen: they take turns over one lock."""

import asyncpg

from privacy import OwnData

_BESIDE_EACH_OTHER = "select pg_advisory_xact_lock_shared(hashtextextended('home.erasing', 0))"
_ALONE = "select pg_advisory_xact_lock(hashtextextended('home.erasing', 0))"


async def write_about_people(connection: asyncpg.Connection) -> None:
    """Wait for an erasure under way, and hold back others until the transaction ends.

    A statement after this one sees the tombstones of all that came before.
    """
    await connection.execute(_BESIDE_EACH_OTHER)


async def erase_people(connection: asyncpg.Connection) -> None:
    """Wait for all who write about people, and hold back others until the transaction ends.

    A statement after this one sees all that they wrote; who writes later sees the tombstones of this transaction.
    """
    await connection.execute(_ALONE)


async def forget_erased(connection: asyncpg.Connection, *, own_data: OwnData) -> None:
    """Forget all who are erased in rebuilt tables: those may stand there whose erasure met the live ones alone.

    What is erased while the connection's transaction lasts is erased in what it leaves behind.
    """
    await erase_people(connection)
    await own_data.forget(connection, await connection.fetchval("select array(select person_id from erased_person)"))
