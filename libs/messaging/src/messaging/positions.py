"""How far each consumer has come, kept with what it wrote: a database that went back says so by its positions.

The broker keeps what was acknowledged, and a database that is restored has lost what it acknowledged since its copy was
made. So the position is written in the transaction of the batch, and after it everything is read again; the inbox went
back too, and knows what is a repeat.
"""

from datetime import datetime
from typing import NamedTuple

import asyncpg

_BEGIN = """
    insert into consumer_position (consumer, stream, stream_created_at, stream_seq) values ($1, $2, $3, $4)
    on conflict do nothing
"""
_MOVE = """
    update consumer_position set stream_created_at = $3, stream_seq = $4
    where consumer = $1 and stream = $2 and stream_created_at = $5 and stream_seq = $6
"""
_LOAD = "select stream_created_at, stream_seq from consumer_position where consumer = $1 and stream = $2"


class Position(NamedTuple):
    """The sequence of the last message that took effect, in the stream that was made at `stream_created_at`.

    It may be lower than what took effect, never higher.
    """

    stream_created_at: datetime | None
    stream_seq: int


START = Position(None, 0)


async def load(connection: asyncpg.Connection, label: str, stream: str) -> Position:
    """Give how far an inbox space has read a stream; `START` where it has read nothing."""
    row = await connection.fetchrow(_LOAD, label, stream)
    return START if row is None else Position(*row)


async def move(connection: asyncpg.Connection, label: str, stream: str, before: Position, after: Position) -> bool:
    """Write how far an inbox space has read a stream, in the transaction of what it has read.

    Gives whether it stood at `before` until then. It does not where the database went back meanwhile, and what lies
    between has no effect in it any more.
    """
    if before == START:
        done = await connection.execute(_BEGIN, label, stream, *after)
    else:
        done = await connection.execute(_MOVE, label, stream, *after, *before)
    return bool(done.endswith(" 1"))
