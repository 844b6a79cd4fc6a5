"""`GET /v1/status` for everybody, `GET /v1/operations/…` for those who run the system."""

import asyncio
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from sqlalchemy import select
from starlette.responses import Response

from audit import about_nobody
from contracts import SERVICES
from gateway.supervision.capabilities import CAPABILITIES, MEANINGS, condition_of
from gateway.supervision.schemas import (
    CapabilityOut,
    OperationsOut,
    ProcessOut,
    StateChangeOut,
    StatusOut,
    StreamOut,
)
from gateway.supervision.states import Process
from gateway.supervision.tables import StateChange
from gateway.supervision.watching import Watch
from gateway.words import Words
from messaging import NatsConnection
from messaging.streams import holding
from webapi import Caller, Page, PageQuery, access, described, json_answer

OPERATE: Final = "gateway.operations.read"
_NOBODY: Final = about_nobody("it tells of processes, and of no person")
_STREAM_SECONDS: Final = 2.0

router = APIRouter(tags=["status"])


async def _of_application(request: Request) -> Watch:
    watch: Watch = request.app.state.watch
    return watch


Watching = Annotated[Watch, Depends(_of_application)]


@router.get(
    "/v1/status",
    response_model=StatusOut,
    openapi_extra=access("self")
    | _NOBODY
    | described("系统现在是否正常，用不了的功能和替代办法", "What works now, and what to do instead of what does not"),
)
async def read_status(_: Caller, watch: Watching) -> Response:
    """Tell what does not work now, since when, and what to do instead."""
    picture = await watch.picture()
    told = []
    for name, capability in CAPABILITIES.items():
        condition, since = condition_of(capability.service, picture)
        told.append(
            CapabilityOut(
                capability=name,
                title=Words(capability.zh, capability.en).out(),
                condition=condition,
                meaning=MEANINGS[condition].out(),
                since=since,
                instead=None if condition == "fine" else Words(capability.instead_zh, capability.instead_en).out(),
            )
        )
    failing = [each.title for each in told if each.condition != "fine"]
    zh, en = "、".join(title.zh for title in failing), ", ".join(title.en for title in failing)
    summary = Words(f"目前不太正常：{zh}", f"Does not work as it should: {en}")
    return json_answer(
        StatusOut(
            fine=not failing,
            summary=(summary if failing else Words("一切正常", "All is well")).out(),
            capabilities=told,
        )
    )


@router.get(
    "/v1/operations/status",
    response_model=OperationsOut,
    openapi_extra=access(OPERATE)
    | _NOBODY
    | described("系统运行状况：进程、队列与积压", "How the system runs: its processes, queues and what is behind"),
)
async def read_operations_status(page: PageQuery, caller: Caller, watch: Watching, request: Request) -> Response:
    """List every process with what it says of itself, and what the streams hold."""
    await caller.remit(OPERATE)
    after = page.after(str, str, str)
    processes = [each for each in watch.processes() if after is None or each.key > after]
    shown = page.of(processes[: page.fetch], key=lambda each: each.key, shape=_process)
    return json_answer(
        OperationsOut(
            deaf=watch.is_deaf,
            processes=shown.items,
            next_cursor=shown.next_cursor,
            streams=await _streams(request.app.state.nats),
        )
    )


@router.get(
    "/v1/operations/state-changes",
    response_model=Page[StateChangeOut],
    openapi_extra=access(OPERATE)
    | _NOBODY
    | described("进程状态变化记录", "When processes came up, slowed down and went away"),
)
async def list_state_changes(page: PageQuery, caller: Caller) -> Response:
    """List the changes of the last ninety days, the latest first."""
    await caller.remit(OPERATE)
    async with caller.read() as session:
        found = await page.select(
            session,
            select(StateChange),
            StateChange.changed_at,
            StateChange.id,
            shape=StateChangeOut.model_validate,
            latest_first=True,
        )
    return json_answer(found)


def _process(process: Process) -> ProcessOut:
    beat = process.beat
    figures = None if beat is None or process.role != "worker" else beat.figures
    return ProcessOut(
        service=process.service,
        role=process.role,
        instance=process.key[2],
        state=process.state,
        since=process.since,
        heard_at=process.heard_at,
        host=beat and beat.host,
        pid=beat and beat.pid,
        version=beat and beat.version,
        started_at=beat and beat.started_at,
        failed=beat.failed if beat else [],
        outbox_age_seconds=figures and figures.outbox_age,
        lags=figures and figures.lags,
        parked=figures and figures.parked,
        job_ages_seconds=figures and figures.jobs,
        ends=figures and figures.ends,
        database_bytes=figures and figures.database_bytes,
    )


async def _streams(nats: NatsConnection) -> list[StreamOut] | None:
    try:
        async with asyncio.timeout(_STREAM_SECONDS):
            held = await asyncio.gather(*(holding(nats, service) for service in SERVICES))
    except TimeoutError:
        return None
    told = {service: each for service, each in zip(SERVICES, held, strict=True) if each is not None}
    return [
        StreamOut(service=service, bytes=each.bytes, messages=each.messages) for service, each in told.items()
    ] or None
