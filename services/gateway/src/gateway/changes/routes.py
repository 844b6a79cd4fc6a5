"""`GET /v1/sync/changes` and `GET /v1/events`: what changed, for who was away and for who listens."""

from collections import defaultdict
from collections.abc import Collection
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request
from starlette.responses import Response

from audit import about_nobody
from database import raw
from gateway.changes import cursors, queries
from gateway.changes.audiences import audiences_of
from gateway.changes.cursors import LENGTH, Position, Whose
from gateway.changes.listener import Listener
from gateway.changes.live import Live
from gateway.changes.rules import SERVICE_OF, kind_of
from gateway.changes.schemas import ChangeOut, ChangesOut, ScopeName
from gateway.changes.stream import EventStream
from gateway.home.kinds import STAFF_PERMISSIONS
from gateway.subjects.reading import Found, Subjects
from webapi import AuthenticatedCaller, Caller, Problem, Refusal, access, assistable, described, json_answer
from webapi.problems import NOT_ASSISTABLE
from webapi.requests import HEAD
from webapi.scopes import require_scopes

router = APIRouter(prefix="/v1", tags=["changes"])

CURSOR_EXPIRED: Final = Problem(
    410,
    "cursor_expired",
    "What is gone since then is no longer known: forget what you hold, and go on with the new `cursor`.",
    "游标所指时间过早，此后移除的内容已无记录：请清除本地数据，用新的 cursor 继续。",
    ("cursor",),
)
_LIMIT: Final = 200
_START: Final = Position(0, 0)
_STREAM: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "description": "Events, without an end."},
}
_ACCESS: Final = access("self", *STAFF_PERMISSIONS) | about_nobody("it tells what changed for the caller, by ids alone")

_OF_A_CURSOR: Final = {"min_length": LENGTH, "max_length": LENGTH}
Cursor = Annotated[str | None, Query(**_OF_A_CURSOR, description="`cursor` of the answer before.")]
LastEventId = Annotated[str | None, Header(**_OF_A_CURSOR, description="Go on after this event.")]


async def _scopes(
    caller: Caller,
    scopes: Annotated[
        list[ScopeName] | None,
        Query(min_length=1, max_length=len(SERVICE_OF), description="All, unless some are named."),
    ] = None,
) -> frozenset[str]:
    """Give the scopes that the caller asks for, or all that their token may read; a helper sees the home alone.

    Raises the 403 problems `scope_missing` and `not_assistable`.
    """
    if caller.principal.actor is not None:
        if not {"home"}.issuperset(scopes or ()):
            raise Refusal(NOT_ASSISTABLE)
        return frozenset({"home"})
    if scopes is not None:
        require_scopes(caller.principal, frozenset(f"{SERVICE_OF[scope]}.read" for scope in scopes))
        return frozenset(scopes)
    return frozenset(scope for scope, service in SERVICE_OF.items() if f"{service}.read" in caller.principal.scope)


Scopes = Annotated[frozenset[str], Depends(_scopes)]


def _begun(
    caller: AuthenticatedCaller, state: queries.State, scopes: Collection[str], audiences: Collection[str]
) -> Whose:
    """Bind who begins to read now."""
    return cursors.whose(caller.principal, state.done).seeing(state.epoch, scopes, audiences)


def _resumed(
    caller: AuthenticatedCaller, cursor: str, state: queries.State, begun: Whose
) -> tuple[Whose, Position] | None:
    """Give where a cursor stands, None if the caller sees something else by now.

    Raises the 422 problem `cursor_invalid`, and 410 `cursor_expired` with a cursor that begins anew.
    """
    bound, position = cursors.read(cursor, caller.principal)
    if bound.sees != begun.sees or max(position.txid, bound.since) > state.done:
        return None
    if max(position.txid, bound.since) < state.purged_to:
        raise Refusal(CURSOR_EXPIRED, cursor=begun.at(_START))
    return bound, position


@router.get(
    "/sync/changes",
    response_model=ChangesOut,
    openapi_extra=_ACCESS | described("上次以来的变化", "What changed since the last time"),
)
@assistable("gateway.read_home")
async def list_changes(
    request: Request,
    caller: Caller,
    scopes: Scopes,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=_LIMIT, description="How many at most.")] = _LIMIT // 2,
) -> Response:
    """List what changed for the caller since a cursor, in order; without one, all that there is for them, then on.

    `data` holds what is there by now, which may be newer than the change; of `home` and `profile` it is null.
    A cursor is one person's through one client, for the same scopes. When what they may see has changed since, `reset`
    names the scopes, and the answer begins anew.
    """
    async with caller.read() as session:
        connection = await raw(session)
        audiences = await audiences_of(connection, caller)
        state = await queries.state_of(connection)
        begun = _begun(caller, state, scopes, audiences)
        resumed = None if cursor is None else _resumed(caller, cursor, state, begun)
        bound, after = resumed or (begun, _START)
        read = await queries.page(connection, audiences=audiences, scopes=scopes, after=after, limit=limit)
    more = len(read) == limit
    end = read[-1].position if more else max(state.end, after)
    # What was gone before somebody began to read, they never had.
    told = {each[:2]: each for each in read if not each.gone or each.position.txid >= bound.since}
    found = await _subjects(request, caller, told.values())
    return json_answer(
        ChangesOut(
            changes=[_shown(each, found) for each in told.values()],
            cursor=bound.at(end),
            more=more,
            incomplete=found.incomplete,
            reset=sorted(scopes) if cursor is not None and resumed is None else [],
        )
    )


@router.get(
    "/events",
    response_class=Response,
    responses=_STREAM,
    openapi_extra=_ACCESS | described("实时变化通知", "What changes, as it changes"),
)
@assistable("gateway.read_home")
async def listen(request: Request, caller: Caller, scopes: Scopes, last_event_id: LastEventId = None) -> Response:
    """Tell the caller what changes for them (Server-Sent Events), from now on or after `Last-Event-ID`.

    `change` brings a thing's scope, id and version, and says whether it is gone; its id is a cursor of `sync/changes`.
    `resync` says that not all is told, and from which `cursor` to list it. `bye` comes half a minute before the token
    ends, and when this process does: connect anew. A session may listen three times.
    """
    live: Live = request.app.state.live
    async with caller.read() as session:
        connection = await raw(session)
        audiences = await audiences_of(connection, caller)
        state = await queries.state_of(connection)
    begun = _begun(caller, state, scopes, audiences)
    resumed = None if last_event_id is None else _resumed(caller, last_event_id, state, begun)
    bound, position = resumed or (begun, state.end)
    live.require_room(caller.principal)
    if HEAD in request.scope:
        return Response(media_type="text/event-stream")
    listener = Listener(caller, bound, epoch=state.epoch, audiences=audiences, scopes=scopes, position=position)
    if last_event_id is not None and resumed is None:
        listener.resync("moved", cursor=last_event_id)
    return EventStream(listener, live)


async def _subjects(request: Request, caller: AuthenticatedCaller, changes: Collection[queries.Change]) -> Found:
    """Read what is not gone from its owners, with the caller's own token."""
    wanted: defaultdict[str, list[UUID]] = defaultdict(list)
    for change in changes:
        if not change.gone and (kind := kind_of(change.scope, part=change.part)) is not None:
            wanted[kind].append(change.subject_id)
    subjects: Subjects = request.app.state.subjects
    return await subjects.read(wanted, request.scope["headers"], caller)


def _shown(change: queries.Change, found: Found) -> ChangeOut:
    kind = kind_of(change.scope, part=change.part)
    return ChangeOut(
        scope=change.scope,
        subject_id=change.subject_id,
        version=None if change.part else change.version,
        gone=change.gone,
        data=None if kind is None or change.gone else found.data.get((kind, change.subject_id)),
    )
