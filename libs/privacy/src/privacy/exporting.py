"""A service's part of the file with all that is known of a person: asked for by event, composed, kept for a day."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated
from uuid import UUID

import asyncpg
import orjson
from fastapi import APIRouter, Query
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

import audit
from background import Due, Job
from contracts.identity import ExportRequestedV1
from database import Database, KeyRing, associated, columns, raw, utc_now
from messaging import Received
from privacy.own_data import AllOwnData, Asked, compose_all
from webapi import NOT_FOUND, Caller, Refusal, access, described
from webapi.step_up import TWO_FACTORS

KEPT_FOR = timedelta(hours=24)
FETCHED_WITHIN = timedelta(minutes=10)
"""How long ago who fetches the file may have signed in: a token that was left open somewhere does not get it."""
SCHEMA_VERSION = 1
COMPOSED_EVERY = timedelta(seconds=1)
_TO_COMPOSE = Due(
    "export_part",
    key="export_id",
    at="next_at",
    waiting="part is null",
    claim_for=timedelta(minutes=1),  # twice what a transaction may take
    backoff=lambda attempts: min(timedelta(minutes=10), timedelta(seconds=5 * 2 ** min(attempts - 1, 10))),
    at_once=1,
)

_ASK = """
insert into export_part (export_id, person_id, asked_at)
select export_id, person_id, asked_at
from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) as asked (export_id, person_id, asked_at)
where not exists (select from erased_person gone where gone.person_id = asked.person_id)
on conflict do nothing
"""
_LOOK = "select exists (select from export_part where asked_at <= $1)"
_DROP = "delete from export_part where asked_at <= $1"
_KEEP = "update export_part set part = $2, composed_at = $3 where export_id = $1"
# Who it was stays out: the office that allowed it is told, another person's id is not.
_ACCESS_LOG = """
select happened_at, action, decision, purpose, rule, actor = subject as by_oneself, actor_role,
       actor_organisation_id, assist_id, organisation_id
from audit.entry where subject = $1 order by id
"""
_OWN = "select part, asked_at from export_part where export_id = $1 and person_id = $2 and asked_at > $3"


async def react_to_export_requests(session: AsyncSession, batch: Sequence[Received[ExportRequestedV1]]) -> None:
    """Note whose data is asked for; the job composes it."""
    rows = [(each.event.export_id, each.event.person_id, each.time) for each in batch]
    await (await raw(session)).execute(_ASK, *columns(rows))


class Parts:
    """The parts of one service. Given a key ring they are sealed; without one they repeat what is in the clear here."""

    def __init__(self, service: str, own_data: AllOwnData, ring: KeyRing | None = None) -> None:
        self._service = service
        self._own_data = own_data
        self._ring = ring

    @property
    def composing(self) -> Job:
        """The job that composes what was asked for and deletes what is a day old."""
        return Job("compose_export_parts", COMPOSED_EVERY, self.compose_all, rests=True)

    async def compose_all(self, database: Database) -> datetime | None:
        """Compose every part that is due; one that fails is tried again later and keeps no other waiting.

        Gives when the next is due.
        """
        outdated = utc_now() - KEPT_FOR
        async with database.look() as connection:
            is_any_outdated = await connection.fetchval(_LOOK, outdated)
        if is_any_outdated:
            async with database.raw_transaction() as connection:
                await connection.execute(_DROP, outdated)
        return await _TO_COMPOSE.work_off(database, partial(self._compose, database))

    async def _compose(self, database: Database, row: asyncpg.Record) -> None:
        now = utc_now()
        async with database.transaction() as session:
            data = await compose_all(self._own_data, Asked(session, row["person_id"], self._ring))
            connection = await raw(session)
            log = await connection.fetch(_ACCESS_LOG, row["person_id"])
            part = orjson.dumps(
                {
                    "service": self._service,
                    "schema_version": SCHEMA_VERSION,
                    "person_id": row["person_id"],
                    "composed_at": now,
                    "data": data,
                    "access_log": [dict(each) for each in log],
                },
                default=_id,
                option=orjson.OPT_INDENT_2,
            )
            if self._ring is not None:
                part = self._ring.wrap(part, binding=_binding_of(row["export_id"]))
            await connection.execute(_KEEP, row["export_id"], part, now)

    async def part_of(self, session: AsyncSession, export_id: UUID, person_id: UUID, *, now: datetime) -> bytes | None:
        """Give a part as JSON, None while it is being composed; raises the 404 problem when it was not asked for."""
        row = await (await raw(session)).fetchrow(_OWN, export_id, person_id, now - KEPT_FOR)
        if row is None:
            raise Refusal(NOT_FOUND)
        part: bytes | None = row["part"]
        if part is None or self._ring is None:
            return part
        return self._ring.unwrap(part, binding=_binding_of(export_id))

    def router(self) -> APIRouter:
        """Give the route by which the gateway fetches this service's part: `/v1/export-parts/<service>/{export_id}`.

        It comes with the person's own token, once identity let them have the file; nobody outside comes here.
        """
        router = APIRouter(prefix=f"/v1/export-parts/{self._service}", tags=["export"])

        @router.get(
            "/{export_id}",
            openapi_extra=access("self") | described("本服务所存的本人数据", "This service's part of one's own data"),
            response_model=None,
            responses={
                200: {"content": {"application/json": {"schema": {"type": "object"}}}},
                202: {"description": "It is being composed; ask again."},
                204: {"description": "It is there; asked for by `only_state`."},
            },
        )
        async def get_export_part(
            export_id: UUID,
            caller: Caller,
            only_state: Annotated[bool, Query(description="Whether it is there, without the part itself.")] = False,
        ) -> Response:
            """Give what this service holds about the caller, who signed in by two factors within ten minutes."""
            if not only_state:
                caller.require_acr(TWO_FACTORS, FETCHED_WITHIN)
            async with caller.read() as session:
                part = await self.part_of(session, export_id, caller.person_id, now=utc_now())
            if part is None:
                return Response(status_code=202, headers={"retry-after": "1"})
            if only_state:
                return Response(status_code=204)
            async with caller.apart() as session:
                await self.record_fetched(session, audit.by(caller.principal), export_id)
            return Response(part, media_type="application/json")

        return router

    async def record_fetched(self, session: AsyncSession, by: audit.Actor, export_id: UUID) -> None:
        """Put into the audit that somebody was given a part of theirs."""
        entry = by.entry(f"{self._service}.export.fetched", subject=by.actor, object_id=export_id)
        await audit.record(session, entry, now=utc_now())


def _id(value: object) -> str:
    """Write the driver's own kind of UUID; raises `TypeError` for anything else that is not JSON."""
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(type(value).__name__)


def _binding_of(export_id: UUID) -> bytes:
    return associated("export_part", "part", export_id)
