"""Settling what an owner forgot: each lost aggregate is adopted, retold or withdrawn, until the recovery is over.

Adopted: the owner takes over what the lost event says, since it holds all that there is to know. Retold: the owner has
the aggregate as it was, and says so in the new epoch. Withdrawn: it has no such aggregate, and others are to forget it.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from operator import attrgetter
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from contracts import EVENT_TYPES, Event
from database import Database, raw
from messaging.outbox import Publication, append
from messaging.received import Delivery, Reader, Received
from messaging.telling import Told

logger = logging.getLogger(__name__)

WITHDRAWN_VERSION = 0
"""Below the first that an aggregate of this id may have, should somebody bring it again."""

_NEXT = """
    select l.aggregate, l.aggregate_id, l.type, l.payload
    from lost_event l
    join (
        select aggregate, aggregate_id from lost_event where state = 'found'
        group by aggregate, aggregate_id order by min(stream_seq) limit 200
    ) as next using (aggregate, aggregate_id)
    where l.state = 'found' order by l.stream_seq for update of l
"""
_SPOKEN = """
    select distinct o.aggregate_id from outbox o, outbox_state s
    where o.aggregate_id = any($1::uuid[]) and o.epoch = s.epoch and split_part(o.subject, '.', 4) = $2
"""
_SETTLE = """
    update lost_event set state = $1, settled_at = now()
    where aggregate = $2 and aggregate_id = any($3::uuid[]) and state = 'found'
"""
_UNSETTLED = """
    select aggregate, aggregate_id, payload from lost_event
    where aggregate_id = $1 and aggregate = any($2::text[]) and state = 'found' order by stream_seq desc limit 1
"""
_END = "update outbox_recovery set ended_at = now() where ended_at is null returning stream"


async def settle(database: Database, told: Sequence[Told]) -> None:
    """Settle all that was found lost, some aggregates at a time, oldest first, and end the recovery."""
    kinds = {each.state.aggregate: each for each in told}
    while await _settle_some(database, kinds):
        pass


async def _settle_some(database: Database, kinds: Mapping[str, Told]) -> bool:
    async with database.transaction() as session:
        connection = await raw(session)
        lost: dict[str, dict[UUID, list[asyncpg.Record]]] = {}
        for row in await connection.fetch(_NEXT):
            lost.setdefault(row["aggregate"], {}).setdefault(row["aggregate_id"], []).append(row)
        for aggregate, rows in lost.items():
            kind = kinds.get(aggregate)
            settled = {"accepted": set(rows)} if kind is None else await _settle_kind(session, connection, kind, rows)
            for state, ids in settled.items():
                await connection.execute(_SETTLE, state, aggregate, list(ids))
            counts = {state: len(ids) for state, ids in settled.items()}
            logger.warning("lost_events_settled", extra={"aggregate": aggregate, **counts})
        if not lost:
            for row in await connection.fetch(_END):
                logger.warning("recovery_ended", extra={"stream": row["stream"]})
    return bool(lost)


async def _settle_kind(
    session: AsyncSession, connection: asyncpg.Connection, kind: Told, lost: Mapping[UUID, Sequence[asyncpg.Record]]
) -> dict[str, Collection[UUID]]:
    """Settle aggregates of one kind; gives which of them in which way."""
    adopted: Collection[UUID] = ()
    if kind.adopt is not None:
        spoken = set()
        if not kind.never_goes_back:
            spoken = {row[0] for row in await connection.fetch(_SPOKEN, list(lost), kind.state.aggregate)}
        last = (_last(rows) for aggregate_id, rows in lost.items() if aggregate_id not in spoken)
        adopted = await kind.adopt(session, [each for each in last if each is not None])
    rest = lost.keys() - set(adopted)
    tellings = await kind.of(session, rest)
    retold = {each.event.aggregate_id for each in tellings}
    gone = rest - retold
    withdrawn = gone if kind.withdrawn is not None else set()
    withdrawals = [_withdrawal(kind.withdrawn, lost[each][-1]) for each in sorted(withdrawn) if kind.withdrawn]
    await append(session, [*(Publication(each.event, each.version) for each in tellings), *withdrawals])
    return {"adopted": adopted, "retold": retold, "withdrawn": withdrawn, "accepted": gone - withdrawn}


def _withdrawal(withdrawn: type[Event], lost: asyncpg.Record) -> Publication:
    """Withdraw the aggregate of a lost event, whose fields say what it was about."""
    told = {**orjson.loads(lost["payload"])["data"], withdrawn.identified_by: lost["aggregate_id"]}
    return Publication(withdrawn.model_validate(told), WITHDRAWN_VERSION)


async def withdraw(database: Database, told: Sequence[Told], aggregate_id: UUID) -> bool:
    """Have others forget a lost aggregate that is not settled and that the service has no more; says whether it was."""
    kinds = {each.state.aggregate: (each, each.withdrawn) for each in told if each.withdrawn is not None}
    async with database.transaction() as session:
        connection = await raw(session)
        lost = await connection.fetchrow(_UNSETTLED, aggregate_id, list(kinds))
        if lost is None:
            return False
        kind, withdrawn = kinds[lost["aggregate"]]
        if await kind.of(session, [aggregate_id]):
            return False
        await append(session, [_withdrawal(withdrawn, lost)])
        await connection.execute(_SETTLE, "withdrawn", lost["aggregate"], [aggregate_id])
    return True


def _last(rows: Sequence[asyncpg.Record]) -> Received[Any] | None:
    """Read the last of an aggregate's lost events; none where this code can read none of them."""
    reader = Reader(EVENT_TYPES[row["type"]] for row in rows if row["type"] in EVENT_TYPES)
    subject = "evt.{1}.p00.{2}.".format(*rows[0]["type"].split("."))
    read = (reader.read(Delivery(f"{subject}{row['aggregate_id']}", row["payload"])).received for row in rows)
    return max((each for each in read if each is not None), key=attrgetter("version"), default=None)
