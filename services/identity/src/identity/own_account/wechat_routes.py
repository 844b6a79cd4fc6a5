"""One's own link to WeChat over HTTP: whether there is one, and its end. It is made on a page alone, in the browser."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import select
from starlette.responses import Response

import audit
from identity.factors.ownership import require_owner
from identity.factors.tables import FederatedIdentity
from identity.factors.wechat import commands
from identity.pages.addresses import SECURITY
from identity.purposes.commands import withdraw_consent
from identity.shared import Shared
from webapi import Caller, access, described

router = APIRouter(prefix="/v1/me/wechat", tags=["ways in"])


class WechatStatus(BaseModel):
    """Whether WeChat is offered here, whether this account is linked and since when, and the page where it is done."""

    offered: bool
    linked_at: datetime | None
    page: str


@router.get("", openapi_extra=access("self") | described("是否已绑定微信", "Is WeChat linked"))
async def get_wechat(caller: Caller, shared: Shared) -> WechatStatus:
    """Say whether the account is linked; who it is at WeChat is not known here."""
    async with caller.read() as session:
        linked_at = await session.scalar(
            select(FederatedIdentity.linked_at).where(
                FederatedIdentity.account_id == caller.person_id, FederatedIdentity.provider == commands.PROVIDER
            )
        )
    return WechatStatus(offered=shared.wechat is not None, linked_at=linked_at, page=SECURITY)


@router.delete("", status_code=204, openapi_extra=access("self") | described("解除微信绑定", "Unlink WeChat"))
async def unlink_wechat(caller: Caller, shared: Shared) -> Response:
    """End the link; signing in by WeChat works no longer."""
    owner = await require_owner(caller)
    async with caller.command() as command:
        await commands.unlink(command.session, shared.ring, owner, now=command.now)
        by = audit.by(caller.principal)
        await withdraw_consent(command.session, by=by, purpose=commands.CONSENT, now=command.now)
        return await command.respond(204)
