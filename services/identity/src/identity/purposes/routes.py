"""Consents over HTTP: what is asked, what one agreed to, and what one once agreed to."""

from typing import Annotated

from fastapi import APIRouter, Path
from sqlalchemy import select
from starlette.responses import Response

import audit
from database import new_id
from identity.purposes import commands
from identity.purposes.rules import PURPOSES
from identity.purposes.schemas import ConsentHistoryOut, ConsentOut, GiveConsent
from identity.purposes.tables import Consent
from webapi import Caller, Page, PageQuery, access, described
from webapi.validation import worded

router = APIRouter(prefix="/v1/me", tags=["privacy"])

Purpose = Annotated[
    str,
    Path(
        min_length=1,
        max_length=64,
        pattern=worded(
            r"^[a-z_]+$",
            en="This must be a purpose: lower-case letters and underscores.",
            zh="应为用途代码：小写字母和下划线。",
        ),
    ),
]


@router.get(
    "/consents",
    openapi_extra=access("self")
    | described("我的数据用于哪些用途、我同意了哪些", "What one's data is used for, and what one agreed to"),
)
async def list_consents(caller: Caller, page: PageQuery) -> Page[ConsentOut]:
    """List every purpose with its lawful basis, its text, and whether the caller agreed to it."""
    after = page.after(str)
    names = [name for name in sorted(PURPOSES) if after is None or name > after[0]][: page.fetch]
    async with caller.read() as session:
        listed = [await commands.state_of(session, caller.person_id, name) for name in names]
    return page.of(listed, lambda each: (each.purpose,))


@router.get(
    "/consent-history", openapi_extra=access("self") | described("我给出和撤回的同意", "Consents one gave and withdrew")
)
async def list_history(caller: Caller, page: PageQuery) -> Page[ConsentHistoryOut]:
    """List every consent the caller ever gave, with the version of its text, the latest first."""
    mine, shape = select(Consent).where(Consent.person_id == caller.person_id), ConsentHistoryOut.model_validate
    async with caller.read() as session:
        return await page.select(session, mine, Consent.given_at, Consent.consent_id, shape=shape, latest_first=True)


@router.put(
    "/consents/{purpose}",
    response_model=ConsentOut,
    openapi_extra=access("self") | described("同意一项用途", "Agree to a purpose", example={"text_version": 1}),
)
async def give_consent(purpose: Purpose, body: GiveConsent, caller: Caller) -> Response:
    """Agree to the text that was shown; when it is not the present one, the answer brings the present one."""
    async with caller.command() as command:
        by, version = audit.by(caller.principal), body.text_version
        given = await commands.give_consent(
            command.session, by=by, purpose=purpose, text_version=version, new_id=new_id, now=command.now
        )
        return await command.respond(200, given)


@router.delete(
    "/consents/{purpose}",
    response_model=ConsentOut,
    openapi_extra=access("self") | described("撤回对一项用途的同意", "Withdraw a consent"),
)
async def withdraw_consent(purpose: Purpose, caller: Caller) -> Response:
    """Withdraw a consent; what only it allowed to keep is deleted."""
    async with caller.command() as command:
        by = audit.by(caller.principal)
        ended = await commands.withdraw_consent(command.session, by=by, purpose=purpose, now=command.now)
        return await command.respond(200, ended)
