"""`GET /v1/home`."""

from collections import defaultdict
from hashlib import sha256
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from audit import about_nobody
from china_time import Moment
from contracts import SERVICES
from database import utc_now
from gateway.home import queries
from gateway.home.composing import subject_of, with_subjects, written
from gateway.home.items import Section
from gateway.home.kinds import KINDS, STAFF_PERMISSIONS
from gateway.home.schemas import HomeItemPage
from gateway.subjects.reading import Subjects
from gateway.supervision.routes import Watching
from gateway.supervision.staleness import stale_of
from webapi import Caller, PageQuery, Refusal, access, assistable, described
from webapi.problems import CURSOR_INVALID

router = APIRouter(prefix="/v1/home", tags=["home"])


async def _of_application(request: Request) -> Subjects:
    subjects: Subjects = request.app.state.subjects
    return subjects


@router.get(
    "",
    response_model=HomeItemPage,
    openapi_extra=access("self", *STAFF_PERMISSIONS)
    | about_nobody("it tells what waits for the caller, and of nobody else")
    | described("我的首页：要做的和要看的", "All there is to do and to read"),
)
@assistable("gateway.read_home")
async def home(
    *,
    page: PageQuery,
    request: Request,
    caller: Caller,
    watch: Watching,
    subjects: Annotated[Subjects, Depends(_of_application)],
    section: Annotated[
        Section | None,
        Query(description="只看要做的、要看的或在等别人的。— Only what is to do, to read, or waits for others."),
    ] = None,
    order: Annotated[
        queries.Order, Query(description="最新的在前，或最先到期的在前。— The newest first, or what is due soonest.")
    ] = "since",
    include: Annotated[
        Literal["subject"] | None,
        Query(description="连同事项本身（标题等）。— With what each item is about, its title and so on."),
    ] = None,
) -> Response:
    """List what the caller has to do and to read, and what waits for others, with what can be done at once."""
    # A cursor goes on in the same list of the same person alone: elsewhere it would leave things out unseen.
    bound = sha256(f"{caller.person_id} {section} {order}".encode()).hexdigest()[:16]
    after = page.after(str, Moment if order == "since" else Moment | None, str)
    if after is not None and after[0] != bound:
        raise Refusal(CURSOR_INVALID)
    remits = {permission: await caller.remit_if_any(permission) for permission in STAFF_PERMISSIONS}
    async with caller.look() as connection:
        items = await queries.home_of(
            connection,
            person_id=caller.person_id,
            kinds=[kind for kind in KINDS.values() if section in {None, kind.section}],
            remits=remits,
            now=utc_now(),
            order=order,
            after=None if after is None else (after[1], after[2]),
            limit=page.fetch,
        )
    shown = page.of(items, key=lambda item: (bound, item["since" if order == "since" else "due_at"], item["key"]))
    items, incomplete = shown.items, list[str]()
    if include is not None:
        wanted: dict[str, set[UUID]] = defaultdict(set)
        for kind, subject_id in map(subject_of, shown.items):
            wanted[kind].add(subject_id)
        found = await subjects.read(wanted, request.scope["headers"], caller)
        items, incomplete = with_subjects(items, found), found.incomplete
    stale = stale_of(await watch.picture(), SERVICES)
    return Response(written(items, shown.next_cursor, incomplete, stale), media_type="application/json")
