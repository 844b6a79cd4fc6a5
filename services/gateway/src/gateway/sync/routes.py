"""`POST /v1/sync/push`: what was done without a network."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response, StreamingResponse

from gateway.forwarding.asking import Asking
from gateway.forwarding.limits import KIB
from gateway.quotas.buckets import Quotas
from gateway.sync.pushing import Pushing
from gateway.sync.rules import twice
from gateway.sync.schemas import OpResult, Push, PushOut
from webapi import Caller, access, assistable, described, json_answer
from webapi.caller import to_json
from webapi.problems import BODY_TOO_LARGE, Problem, Refusal

LARGEST: Final = 256 * KIB
LINES: Final = "application/x-ndjson"
OPS_REPEATED: Final = Problem(
    422, "ops_repeated", "An act stands twice in what was sent.", "提交内容中有重复的操作编号。", ("op_ids",)
)
_AS_THEY_COME: Final = {"x-accel-buffering": "no"}  # for a proxy in front, which else keeps lines until there are many
_EITHER: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {LINES: {"schema": {"type": "string", "description": "An OpResult on each line, as it comes."}}}}
}

router = APIRouter(prefix="/v1/sync", tags=["sync"])


async def _asking(request: Request) -> Asking:
    asking: Asking = request.app.state.asking
    return asking


async def _quotas(request: Request) -> Quotas:
    quotas: Quotas = request.app.state.quotas
    return quotas


async def _bounded(request: Request) -> None:
    """Refuse what is too large before anybody looks at what it says."""
    if len(await request.body()) > LARGEST:
        raise Refusal(BODY_TOO_LARGE, limit_bytes=LARGEST)


@router.post(
    "/push",
    dependencies=[Depends(_bounded)],
    response_model=PushOut,
    responses=_EITHER,
    openapi_extra=access("self")
    | described(
        "提交离线时所做的操作",
        "Send what was done offline",
        example={
            "ops": [
                {
                    "op_id": "01930000-0000-7000-8000-000000000021",
                    "person_id": "01930000-0000-7000-8000-000000000004",
                    "kind": "progress",
                    "subject_id": "01930000-0000-7000-8000-000000000006",
                    "acted_at": "2026-12-01T08:00:00+08:00",
                    "body": {"progress": 35},
                }
            ],
        },
    ),
)
@assistable("gateway.sync")
async def push(
    body: Push,
    request: Request,
    caller: Caller,
    asking: Annotated[Asking, Depends(_asking)],
    quotas: Annotated[Quotas, Depends(_quotas)],
) -> Response:
    """Carry out up to 200 acts, each once however often it is sent, and tell what became of each.

    With `Accept: application/x-ndjson` the results come line by line as they are known, so that a connection that
    breaks keeps those that arrived.
    """
    if repeated := twice(op.op_id for op in body.ops):
        raise Refusal(OPS_REPEATED, op_ids=[str(each) for each in repeated[:20]])
    pushing = Pushing(asking, quotas, caller, request.scope["headers"], body.ops)
    await pushing.begin()
    if LINES in request.headers.get("accept", ""):
        return StreamingResponse(_lines(pushing.results()), headers=_AS_THEY_COME, media_type=LINES)
    found = {result.op_id: result async for result in pushing.results()}
    return json_answer(PushOut(results=[found[op.op_id] for op in body.ops]))


async def _lines(results: AsyncIterator[OpResult]) -> AsyncIterator[bytes]:
    async for result in results:
        yield to_json(result) + b"\n"
