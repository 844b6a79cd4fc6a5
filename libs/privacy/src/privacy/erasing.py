"""Forgetting people: their data goes, a tombstone stays, so that neither a backup nor a rebuild brings it back."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from background import Job
from contracts import Event
from contracts.identity import ExportRequestedV1, PersonErasedV1
from database import raw
from messaging import Handler, NatsConnection, Received, apply_again
from privacy.exporting import react_to_export_requests
from privacy.own_data import AllOwnData, forget_all
from webapi.idempotency import forget_answers

REPLAYED_EVERY = timedelta(hours=6)

_KEEP_ERASED = """
insert into erased_person (person_id, erased_at)
select person_id, erased_at from unnest($1::uuid[], $2::timestamptz[]) as gone (person_id, erased_at)
order by person_id
on conflict (person_id) do update set erased_at = excluded.erased_at where erased_person.erased_at > excluded.erased_at
"""
_FORGET_PARTS = "delete from export_part where person_id = any($1::uuid[])"


def handlers(own_data: AllOwnData) -> Mapping[type[Event], Handler]:
    """Give the handlers that every service has: of erasures, and of requests for one's data."""

    async def react_to_erasures(session: AsyncSession, batch: Sequence[Received[PersonErasedV1]]) -> None:
        """Forget people, and keep that they are forgotten; again changes nothing."""
        times = {each.event.person_id: each.time for each in batch}
        connection = await raw(session)
        await connection.execute(_KEEP_ERASED, list(times), list(times.values()))
        await connection.execute(_FORGET_PARTS, list(times))
        await forget_answers(connection, times.keys())
        await forget_all(own_data, session, list(times))

    return {PersonErasedV1: react_to_erasures, ExportRequestedV1: react_to_export_requests}


async def erased_among(session: AsyncSession, person_ids: Collection[UUID]) -> frozenset[UUID]:
    """Give those of these people who are forgotten."""
    rows = await (await raw(session)).fetch(
        "select person_id from erased_person where person_id = any($1::uuid[])", list(person_ids)
    )
    return frozenset(row["person_id"] for row in rows)


def replaying(nats: NatsConnection, consumer: str, own_data: AllOwnData) -> Job:
    """Give the job that forgets everybody again whom the stream names: at the worker's start, and a few times a day.

    A database restored from a backup so loses again what was erased since. The stream names everybody: identity
    tells each erasure again long before it goes out of there. `consumer` is the name under which the service reads.
    """
    reacting: dict[type[Event], Handler] = {PersonErasedV1: handlers(own_data)[PersonErasedV1]}
    return Job("replay_erasures", REPLAYED_EVERY, partial(apply_again, nats=nats, name=consumer, handlers=reacting))
