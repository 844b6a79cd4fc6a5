"""`GET /v1/overview/{organisation_id}` and its children."""

from datetime import date
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

import orgtree
from audit import about_nobody
from china_time import day_of
from contracts import SERVICES
from database import utc_now
from gateway.overview import queries
from gateway.overview.figures import load_figures
from gateway.overview.schemas import OverviewOut, OverviewWithStaleOut
from gateway.supervision.routes import Watching
from gateway.supervision.staleness import stale_of
from webapi import Caller, Page, PageQuery, access, described, json_answer

READ = "gateway.overview.read"
NO_PEOPLE = about_nobody("it tells counts, and no small ones")

router = APIRouter(prefix="/v1/overview", tags=["overview"])

FIGURES = load_figures()


def _today() -> date:
    """Give the day in China: formulas hold by its calendar."""
    return day_of(utc_now())


def _official(one: OverviewOut) -> tuple[str, str, UUID]:
    return queries.official(one.division_code, one.organisation_name, one.organisation_id)


@router.get(
    "/{organisation_id}",
    response_model=OverviewWithStaleOut,
    openapi_extra=access(READ) | NO_PEOPLE | described("组织的各项数据", "The figures of an organisation"),
)
async def overview(organisation_id: UUID, caller: Caller, watch: Watching) -> Response:
    """Give the figures of an organisation and everything below it; groups of fewer than five people are hidden."""
    remit = await caller.remit(READ)
    async with caller.read() as session:
        await orgtree.require_within(session, organisation_id, remit)
        found = await queries.overview_of(session, organisation_id, figures=FIGURES, day=_today())
    return json_answer(OverviewWithStaleOut(**dict(found), stale=stale_of(await watch.picture(), SERVICES)))


@router.get(
    "/{organisation_id}/children",
    response_model=Page[OverviewOut],
    openapi_extra=access(READ) | NO_PEOPLE | described("下级组织的各项数据", "The figures of those directly below"),
)
async def children(organisation_id: UUID, page: PageQuery, caller: Caller) -> Response:
    """Give the figures of each organisation directly below, in the order of divisions, never of figures."""
    remit = await caller.remit(READ)
    async with caller.read() as session:
        await orgtree.require_within(session, organisation_id, remit)
        after = page.after(str, str, UUID)
        found = await queries.overviews_of_children(
            session, organisation_id, figures=FIGURES, day=_today(), after=after, limit=page.fetch
        )
    return json_answer(page.of(found, key=_official))
