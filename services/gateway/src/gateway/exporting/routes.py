"""`/v1/me/exports` and `/v1/me/export`: all that is known of oneself, in one file."""

import asyncio
from typing import Annotated, Any, Final
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Request
from pydantic import AwareDatetime, BaseModel
from starlette.responses import Response

from contracts.scopes import READING_SCOPES
from database import utc_now
from gateway.exporting.archive import archive
from gateway.exporting.collector import Collector, NoExportYet, PartsMissing, PartState
from gateway.exporting.schemas import ExportOut, PartOut
from gateway.forwarding.exchange import Fetched
from privacy.exporting import FETCHED_WITHIN
from webapi import AuthenticatedCaller, Caller, access, described, json_answer, passes_token_on
from webapi.step_up import TWO_FACTORS

router = APIRouter(prefix="/v1/me", tags=["export"])

ASKING: Final = "identity.write"
"""Beside reading from all of them: identity keeps that an export was asked for."""
_CREATED, _OK = 201, 200
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}
}


class Asked(BaseModel):
    """An export, as identity tells it."""

    export_id: UUID
    asked_at: AwareDatetime
    expires_at: AwareDatetime


async def _of_application(request: Request) -> Collector:
    collector: Collector = request.app.state.collector
    return collector


Gatherer = Annotated[Collector, Depends(_of_application)]


@router.post(
    "/exports",
    status_code=202,
    response_model=ExportOut,
    openapi_extra=access("self") | described("开始导出本人的全部数据", "Start an export of all of one's data"),
)
@passes_token_on(*READING_SCOPES, ASKING)
async def start_export(request: Request, caller: Caller, collector: Gatherer) -> Response:
    """Have all of one's data gathered; who asks has signed in within ten minutes (RFC 9470)."""
    answer = await collector.ask_identity(request.scope["headers"], "/v1/me/export-requests", method=b"POST")
    if answer.status != _CREATED:
        return _relayed(answer)
    asked = Asked.model_validate_json(answer.body)
    return _under_way(asked, await collector.states(request.scope["headers"], caller, asked.export_id))


@router.get(
    "/exports/{export_id}",
    response_model=ExportOut,
    openapi_extra=access("self") | described("导出的进度", "How far an export is"),
)
@passes_token_on(*READING_SCOPES)
async def get_export(export_id: UUID, request: Request, caller: Caller, collector: Gatherer) -> Response:
    """Tell how many of the services have composed their part, to whom identity would let ask for it."""
    answer = await collector.ask_identity(request.scope["headers"], f"/v1/me/export-requests/{export_id}")
    if answer.status != _OK:
        return _relayed(answer)
    asked = Asked.model_validate_json(answer.body)
    return json_answer(_out(asked, await collector.states(request.scope["headers"], caller, export_id)))


@router.get(
    "/exports/{export_id}/file",
    response_class=Response,
    responses=_FILE,
    openapi_extra=access("self") | described("下载导出文件", "The file of an export"),
)
@passes_token_on(*READING_SCOPES)
async def get_export_file(export_id: UUID, request: Request, caller: Caller, collector: Gatherer) -> Response:
    """Give the file, a ZIP of JSON files with a manifest, for a day, to whom identity would let ask for it."""
    answer = await collector.ask_identity(request.scope["headers"], f"/v1/me/export-requests/{export_id}")
    if answer.status != _OK:
        return _relayed(answer)
    return await _file(Asked.model_validate_json(answer.body), request, caller, collector)


@router.get(
    "/export",
    response_class=Response,
    responses={**_FILE, 202: {"model": ExportOut, "description": "It is being gathered; see the location."}},
    openapi_extra=access("self") | described("最近一次导出", "The newest export"),
)
@passes_token_on(*READING_SCOPES)
async def get_newest_export(request: Request, caller: Caller, collector: Gatherer) -> Response:
    """Give the newest file, as above; while it is being gathered, tell where to see how far it is."""
    answer = await collector.ask_identity(request.scope["headers"], "/v1/me/export-requests?limit=1")
    if answer.status != _OK:
        return _relayed(answer)
    items = orjson.loads(answer.body)["items"]
    if not items:
        raise NoExportYet
    asked = Asked.model_validate(items[0])
    try:
        return await _file(asked, request, caller, collector)
    except PartsMissing as missing:
        return _under_way(asked, [PartState(**each) for each in missing.parts])


async def _file(asked: Asked, request: Request, caller: AuthenticatedCaller, collector: Collector) -> Response:
    caller.require_acr(TWO_FACTORS, FETCHED_WITHIN)
    async with collector.room():
        parts = await collector.parts(request.scope["headers"], caller, asked.export_id)
        content = await asyncio.to_thread(
            archive,
            parts,
            export_id=asked.export_id,
            person_id=caller.person_id,
            asked_at=asked.asked_at,
            composed_at=utc_now(),
        )
    name = f"xiangqiao-{asked.asked_at:%Y%m%d}.zip"
    return Response(
        content, media_type="application/zip", headers={"content-disposition": f'attachment; filename="{name}"'}
    )


def _under_way(asked: Asked, states: list[PartState]) -> Response:
    headers = {"location": f"/v1/me/exports/{asked.export_id}", "retry-after": "2"}
    return json_answer(_out(asked, states), 202, headers)


def _out(asked: Asked, states: list[PartState]) -> ExportOut:
    done = sum(each.state == "done" for each in states)
    return ExportOut(
        **asked.model_dump(),
        done=done,
        total=len(states),
        parts=[PartOut(**each._asdict()) for each in states],
        file=f"/v1/me/exports/{asked.export_id}/file" if done == len(states) else None,
    )


def _relayed(answer: Fetched) -> Response:
    """Pass on what identity answered: its problem, and what it wants of the person."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in answer.headers}
    return Response(answer.body, answer.status, headers)
