"""Export, erasure and legal holds over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

import audit
from audit import audited
from database import new_id, utc_now
from identity.clients.first_party import require_first_party
from identity.factors.ownership import require_owner
from identity.privacy import erasure, exports, legal_holds
from identity.privacy.schemas import ErasureOut, ExportRequested, HoldOut, PlaceHold
from identity.shared import Shared
from webapi import Caller, Page, PageQuery, access, described, limited

HOLD = "identity.legal_hold.place"

router = APIRouter(prefix="/v1", tags=["privacy"])


@router.post(
    "/me/export-requests",
    status_code=201,
    response_model=ExportRequested,
    openapi_extra=access("self")
    | limited(exports.EXPORTS)
    | described("申请汇集本人的全部数据", "Have all of one's data gathered"),
)
async def request_export(caller: Caller) -> Response:
    """Have every service compose what it holds about the caller, who signed in within ten minutes with all factors.

    `GET /v1/me/exports/{export_id}` tells how far it is.
    """
    await require_owner(caller)
    async with caller.command() as command:
        by = audit.by(caller.principal)
        asked = await exports.request_export(command.session, export_id=new_id(), by=by, now=command.now)
        return await command.respond(201, ExportRequested.model_validate(asked))


@router.get("/me/export-requests", openapi_extra=access("self") | described("我的数据导出", "One's exports"))
async def list_exports(caller: Caller, page: PageQuery) -> Page[ExportRequested]:
    """List the caller's exports that can still be fetched, the latest first; demands what asking for one does."""
    await require_first_party(caller)
    await require_owner(caller)
    async with caller.read() as session:
        return await exports.list_exports(session, page, caller.person_id, utc_now())


@router.get(
    "/me/export-requests/{export_id}",
    openapi_extra=access("self") | described("我的一次数据导出", "One of one's exports"),
)
async def get_export(export_id: UUID, caller: Caller) -> ExportRequested:
    """Show when an export was asked for and until when it can be fetched; demands what asking for one does.

    The gateway asks here before it gives the file to anybody.
    """
    await require_first_party(caller)
    await require_owner(caller)
    async with caller.read() as session:
        return ExportRequested.model_validate(await exports.one_export(session, export_id, caller.person_id, utc_now()))


@router.get(
    "/me/erasure", openapi_extra=access("self") | described("注销会删除什么、保留什么", "What an erasure would do")
)
async def foresee_erasure(caller: Caller) -> ErasureOut:
    """Say what would go and what would stay, by which duty, and what holds it back altogether."""
    async with caller.read() as session:
        return await erasure.foreseen(session, caller.person_id, utc_now())


@router.post(
    "/me/erasure",
    response_model=ErasureOut,
    openapi_extra=access("self") | described("注销并删除本人数据", "Erase oneself"),
)
async def erase(caller: Caller, shared: Shared) -> Response:
    """Erase the caller, who signed in within ten minutes with all factors, from every service; for good.

    What a duty keeps stays and is named with its reason; what rests on consent alone goes all the same.
    """
    await require_owner(caller)
    async with caller.command() as command:
        done = await erasure.erase(
            command.session, shared.ring, by=audit.by(caller.principal), language=caller.language, now=command.now
        )
        return await command.respond(200, done)


@router.post(
    "/legal-holds",
    status_code=201,
    response_model=HoldOut,
    openapi_extra=access(HOLD)
    | audited("identity.legal_hold.placed")
    | described(
        "依法保留某人的数据",
        "Hold somebody's data",
        example={
            "person_id": "01930000-0000-7000-8000-000000000001",
            "basis": "disciplinary_case",
            "holds_until": "2027-12-31",
        },
    ),
)
async def place_hold(body: PlaceHold, caller: Caller) -> Response:
    """Keep a person's data from being erased, anybody's but one's own; the person sees that and why."""
    by = audit.by(caller.principal, await caller.remit(HOLD))
    async with caller.command() as command:
        hold = await legal_holds.place_hold(command.session, hold_id=new_id(), wanted=body, by=by, now=command.now)
        return await command.respond(201, legal_holds.shown(hold), location=f"/v1/legal-holds/{hold.hold_id}")


@router.delete(
    "/legal-holds/{hold_id}",
    response_model=HoldOut,
    openapi_extra=access(HOLD) | audited("identity.legal_hold.lifted") | described("解除依法保留", "Lift a legal hold"),
)
async def lift_hold(hold_id: UUID, caller: Caller) -> Response:
    """Lift a hold on somebody else; it stays on record."""
    by = audit.by(caller.principal, await caller.remit(HOLD))
    async with caller.command() as command:
        hold = await legal_holds.lift_hold(command.session, hold_id=hold_id, by=by, now=command.now)
        return await command.respond(200, legal_holds.shown(hold))


@router.get(
    "/legal-holds",
    openapi_extra=access(HOLD) | audited("identity.legal_hold.listed") | described("依法保留的记录", "Legal holds"),
)
async def list_holds(
    caller: Caller,
    page: PageQuery,
    person_id: Annotated[UUID | None, Query(description="On this person alone.")] = None,
) -> Page[HoldOut]:
    """List the holds on people within one's remit, the latest first."""
    remit = await caller.remit(HOLD)
    async with caller.recorded_read() as read:
        entry = audit.by(caller.principal, remit).entry("identity.legal_hold.listed", subject=person_id)
        await audit.record(read.session, entry, now=read.now)
        return await legal_holds.list_holds(read.session, page, remit, person_id)
