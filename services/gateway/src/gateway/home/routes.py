"""`GET /v1/home`."""

from fastapi import APIRouter
from starlette.responses import Response

from audit import about_nobody
from china_time import Moment
from database import utc_now
from gateway.home import queries
from gateway.home.kinds import STAFF_PERMISSIONS
from gateway.home.schemas import HomeItemOut
from webapi import Caller, Page, PageQuery, access, assistable, described, json_answer

router = APIRouter(prefix="/v1/home", tags=["home"])


@router.get(
    "",
    response_model=Page[HomeItemOut],
    openapi_extra=access("self", *STAFF_PERMISSIONS)
    | about_nobody("it tells what waits for the caller, and of nobody else")
    | described("我的首页：要做的和要看的", "All there is to do and to read"),
)
@assistable("gateway.read_home")
async def home(page: PageQuery, caller: Caller) -> Response:
    """List all that the caller has to do and to read, newest first."""
    staff = [
        f"staff:{permission}:{organisation}"
        for permission in STAFF_PERMISSIONS
        for organisation in await caller.remit_if_any(permission)
    ]
    async with caller.read() as session:
        items = await queries.home_of(
            session,
            person_id=caller.person_id,
            staff_audiences=staff,
            now=utc_now(),
            after=page.after(Moment, str),
            limit=page.fetch,
        )
    return json_answer(page.of(items, key=lambda item: (item.since, item.key)))
