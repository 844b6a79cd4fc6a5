"""Signing in by a code that comes to the phone."""

from fastapi import APIRouter
from starlette.responses import Response

from database import utc_now
from identity.accounts.phones import phone_on_file
from identity.levels import CODE_AMR, ONE_FACTOR_ACR
from identity.pages.addresses import BY_CODE, CODE
from identity.pages.visits import Form, PageRoute, Visited
from identity.sessions.browser import Proven
from identity.sessions.sign_ins import record_sign_in_refused
from identity.sign_in.code_pages import CodePages
from identity.sign_in.entry import enter

router = APIRouter(include_in_schema=False, route_class=PageRoute)

_PAGES = CodePages("sign_in", "by_code_title", phone=BY_CODE, code=CODE, signs_in=True)
router.get(BY_CODE, name="show_sign_in_phone")(_PAGES.ask_phone)
router.post(BY_CODE, name="send_sign_in_code")(_PAGES.send_code)
router.get(CODE, name="show_sign_in_code")(_PAGES.ask_code)


@router.post(CODE)
async def sign_in_by_code(visit: Visited, form: Form) -> Response:
    """Check the code; then begin a session and go on, or say on the page what is wrong."""
    verdict, entered = await _PAGES.verdict_on(visit, form), None
    if isinstance(verdict, Response):
        return verdict
    if verdict.account_id is not None and verdict.phone is not None:
        by = phone_on_file(visit.shared.ring, verdict.account_id, verdict.phone)
        entered = await enter(visit, Proven(verdict.account_id, ONE_FACTOR_ACR, CODE_AMR, by))
    if entered is None:
        async with visit.shared.database.transaction() as session:
            await record_sign_in_refused(session, "code", now=utc_now())
        return await _PAGES.refuse(visit, verdict)
    return entered
