"""Reads the logs in the order of transactions, and never past one that is still open."""

from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg

from gateway.change_log import LOGS
from gateway.changes.cursors import Position
from messaging import own_version

# Ids are given out before their transactions commit: "greater than the last" would lose what commits late.
DONE: Final = "pg_snapshot_xmin(pg_current_snapshot())"
_COLUMNS = "scope, subject_id, audience, version, gone, part, txid, id"
_AFTER = f"(txid, id) > ($1::xid8, $2) and txid < {DONE}"

# A thing is gone for who sees it in no audience any more, whatever became of it in one of them.
_GONE = """
    select coalesce(bool_or(same.gone) filter (where part), false)
        or coalesce(bool_and(same.gone) filter (where not part), false) as gone
    from {log} same
    where same.scope = row.scope and same.subject_id = row.subject_id and same.audience = any($3::text[])
"""
_OF_AUDIENCES = """
    (select row.scope, row.subject_id, row.version, row.part, state.gone, row.txid, row.id
     from unnest($3::text[]) as mine(audience)
     cross join lateral (
         select {columns} from {log}
         where {log}.audience = mine.audience and scope = any($4::text[]) and {after}
         order by txid, id limit $5) as row
     cross join lateral ({gone}) as state
     order by row.txid, row.id limit $5)
"""
_OF_ALL = """
    (select {columns},
            case when gone or part then array(
                select audience from {log} same
                where same.scope = {log}.scope and same.subject_id = {log}.subject_id and not same.part
                  and not same.gone) end as seen_by,
            case when gone or part then array(
                select audience from {log} same
                where same.scope = {log}.scope and same.subject_id = {log}.subject_id and not same.part
                  and same.gone) end as left_by
     from {log} where {after} order by txid, id limit $3)
"""


def _of_both(query: str) -> str:
    return "\nunion all\n".join(
        query.format(log=log, columns=_COLUMNS, after=_AFTER, gone=_GONE.format(log=log)) for log in LOGS
    )


PAGE = f"{_of_both(_OF_AUDIENCES)} order by txid, id limit $5"
POLL = f"""
select epoch, {DONE} as done, found.*
from change_log left join (select * from ({_of_both(_OF_ALL)} order by txid, id limit $3) as both_logs) as found on true
order by txid, id
"""  # noqa: S608 - constants of this module
STATE = f"select epoch, purged_to, {DONE} as done from change_log"  # noqa: S608 - as above


class State(NamedTuple):
    """The logs' epoch, before which transaction gone things were purged, and before which all are over."""

    epoch: int
    purged_to: int
    done: int

    @property
    def end(self) -> Position:
        """Where a reader stands who has read all that can be read now."""
        return Position(self.done, 0)


class Change(NamedTuple):
    """A thing that changed for a reader; `part` of it alone, then the version is none of the thing itself."""

    scope: str
    subject_id: UUID
    version: int | None
    part: bool
    gone: bool
    position: Position


async def state_of(connection: asyncpg.Connection) -> State:
    """Give the state of the logs."""
    return State(*await connection.fetchrow(STATE))


async def page(
    connection: asyncpg.Connection,
    *,
    audiences: Collection[str],
    scopes: Collection[str],
    after: Position,
    limit: int,
) -> Sequence[Change]:
    """Give up to `limit` changes for a reader in these audiences, in order; fewer are all there are now."""
    rows = await connection.fetch(PAGE, *after, list(audiences), list(scopes), limit)
    return [change_of(row) for row in rows]


def change_of(row: Any) -> Change:
    """Give what a row of the logs tells; of one that was polled, `gone` is of its audience alone."""
    position = Position(row["txid"], row["id"])
    version = None if row["version"] is None else own_version(row["version"])
    return Change(row["scope"], row["subject_id"], version, row["part"], row["gone"], position)


async def poll(connection: asyncpg.Connection, *, after: Position, limit: int) -> Sequence[Any]:
    """Give the logs' epoch, where all is `done`, and up to `limit` rows in order; one row without a scope for none."""
    rows: Sequence[Any] = await connection.fetch(POLL, *after, limit)
    return rows
