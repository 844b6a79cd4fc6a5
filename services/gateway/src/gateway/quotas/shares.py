"""Shares each client's quota among the processes of the gateway: where more is asked there is more of it."""

from collections.abc import Mapping
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg

from database import columns

LEASE_SECONDS: Final = 60.0
"""How long a process that tells nothing more keeps its shares."""
_AT_FIRST: Final = 0.1
_AT_LEAST: Final = 0.02

_ONE_AT_A_TIME: Final = "select pg_advisory_xact_lock(hashtextextended('gateway.replica_demand', 0))"
_FORGET: Final = "delete from replica_demand where told_at < now() - make_interval(secs => $1)"
# Where all need less than there is, what is left over is for all processes alike; and never more than others left.
_TAKE: Final = """
with others as (
    select client_id, sum(need) as need, sum(share) as share from replica_demand
    where replica_id <> $1 group by client_id
), wanted as (
    select mine.client_id, mine.need, coalesce(others.share, 0) as taken,
           case when mine.need + coalesce(others.need, 0) > 1 then mine.need / (mine.need + others.need)
                else mine.need + (1 - mine.need - coalesce(others.need, 0))
                     / (1 + (select count(distinct replica_id) from replica_demand where replica_id <> $1)) end as share
    from unnest($2::text[], $3::float8[]) as mine(client_id, need) left join others using (client_id)
)
insert into replica_demand as told (replica_id, client_id, need, share, told_at)
select $1, client_id, need, greatest(0, least(share, 1 - taken)), now() from wanted
on conflict (replica_id, client_id) do update
    set need = excluded.need, share = excluded.share, told_at = excluded.told_at
returning client_id, share
"""
_GIVE_BACK: Final = "delete from replica_demand where replica_id = $1 and client_id <> all($2::text[])"
_OTHERS: Final = """
select client_id, sum(share) as share, (select count(distinct replica_id) from replica_demand where replica_id <> $1)
from replica_demand where replica_id <> $1 group by client_id
"""

_NO_CLIENT: Final = ""
"""Under this name a process says that it is there, whoever asks it or nobody."""


class Shares(NamedTuple):
    """What part of each client's quota this process has, what the others have of it, and how many others there are."""

    own: Mapping[str, float] = {}
    others: Mapping[str, float] = {}
    processes: int = 0

    def of(self, client_id: str) -> float:
        """Give this process's share, from 0 to 1; of a client that is new here, its part of what nobody has taken.

        A little is there for everybody, so that a process that begins turns nobody away until the others have heard.
        """
        share = self.own.get(client_id)
        if share is not None:
            return max(_AT_LEAST, share)
        return max(_AT_FIRST, min(1 / (1 + self.processes), 1.0 - self.others.get(client_id, 0.0)))


async def exchange(connection: asyncpg.Connection, replica_id: UUID, needs: Mapping[str, float]) -> Shares:
    """Tell what part of each client's quota this process needs, 0 to 1, and take it as far as it is to be had.

    What it tells nothing of any more it gives back. In a transaction; the shares that all have never exceed 1.
    """
    await connection.execute(_ONE_AT_A_TIME)
    await connection.execute(_FORGET, LEASE_SECONDS)
    needs = {_NO_CLIENT: 0.0, **needs}
    await connection.execute(_GIVE_BACK, replica_id, list(needs))
    own = await connection.fetch(_TAKE, replica_id, *columns(needs.items()))
    others = await connection.fetch(_OTHERS, replica_id)
    return Shares(dict(map(tuple, own)), {client: share for client, share, _ in others}, others[0][2] if others else 0)


async def leave(connection: asyncpg.Connection, replica_id: UUID) -> None:
    """Give everything back."""
    await connection.execute(_GIVE_BACK, replica_id, [])
