"""`GET /v1/me/access-log`: what was done that concerns oneself, in all services at once."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from starlette.responses import Response

from audit.queries import AccessOut
from contracts.scopes import READING_SCOPES
from gateway.access_log.rules import ENDED, Position, merge
from gateway.access_log.sources import AccessLogs
from webapi import Caller, Page, PageQuery, access, cursor_of, described, json_answer, passes_token_on

router = APIRouter(prefix="/v1/me/access-log", tags=["audit"])

_Position = Annotated[int, Field(ge=0, lt=2**63 - 1)] | None


class AccessLogOut(Page[AccessOut]):
    """A part of the one access log, the latest first; each service's entries stay in the order of its own audit."""

    incomplete: Annotated[
        list[str],
        Field(
            description="Services that could not be heard now. Their entries are missing here, and come with the "
            "pages that follow once they can be: ask again, after a while, with `next_cursor`."
        ),
    ]


async def _of_application(request: Request) -> AccessLogs:
    logs: AccessLogs = request.app.state.access_logs
    return logs


@router.get(
    "",
    response_model=AccessLogOut,
    openapi_extra=access("self")
    | described("谁读取或改动了我的数据（所有服务）", "Who read or changed what is mine, everywhere"),
)
@passes_token_on(*READING_SCOPES)
async def list_all_accesses(
    page: PageQuery, request: Request, caller: Caller, logs: Annotated[AccessLogs, Depends(_of_application)]
) -> Response:
    """List what was done in all services that concerns oneself, by whom and for what purpose, the latest first."""
    after = page.after(*[_Position] * len(logs.services))
    positions: dict[str, Position] = dict(zip(logs.services, after or [None] * len(logs.services), strict=True))
    parts = await logs.parts(request.scope["headers"], caller, positions, page.limit)
    merged = merge(positions, parts, page.limit)
    return json_answer(
        AccessLogOut(
            items=merged.entries,
            next_cursor=None if merged.ended else cursor_of([merged.positions[each] for each in logs.services]),
            incomplete=[each for each in logs.services if each not in parts and positions[each] != ENDED],
        )
    )
