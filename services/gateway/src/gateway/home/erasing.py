"""Empties the homes of who is erased in rebuilt tables."""

import asyncpg

from gateway.erasing import erase_people

_FORGET_ERASED = (
    "delete from home_item where audience in (select 'person:' || person_id from erased_person)",
    "delete from home_done where person_id in (select person_id from erased_person)",
)


async def forget_erased(connection: asyncpg.Connection) -> None:
    """Empty the homes of all who are erased: in rebuilt tables those may stand whose erasure met the live ones alone.

    What is erased while the connection's transaction lasts is erased in what it leaves behind.
    """
    await erase_people(connection)
    for statement in _FORGET_ERASED:
        await connection.execute(statement)
