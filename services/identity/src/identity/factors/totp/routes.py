"""One's own authenticator app over HTTP. The secret and the recovery codes are answered once and never shown again."""

from fastapi import APIRouter
from sqlalchemy import func, select
from starlette.responses import Response

from database import new_id
from identity.factors.ownership import require_owner
from identity.factors.tables import RecoveryCode, Totp
from identity.factors.totp import commands
from identity.factors.totp.schemas import ConfirmTotp, RecoveryCodes, TotpBegun, TotpStatus
from identity.shared import Shared
from webapi import Caller, RefusedWithEffect, access, described

router = APIRouter(prefix="/v1/me/totp", tags=["ways in"])


@router.get("", openapi_extra=access("self") | described("我是否设有验证器", "Have I an authenticator app"))
async def get_totp(caller: Caller) -> TotpStatus:
    """Say whether there is an authenticator app and how many recovery codes are left; neither is ever shown."""
    me = caller.person_id
    left = select(func.count()).where(RecoveryCode.account_id == me, RecoveryCode.used_at.is_(None))
    async with caller.read() as session:
        since = await session.scalar(
            select(Totp.confirmed_at).where(Totp.account_id == me, Totp.confirmed_at.is_not(None))
        )
        return TotpStatus(set_up=since is not None, since=since, recovery_codes_left=await session.scalar(left) or 0)


@router.post(
    "",
    status_code=201,
    response_model=TotpBegun,
    openapi_extra=access("self") | described("开始设置验证器", "Begin to use an app"),
)
async def begin_totp(caller: Caller, shared: Shared) -> Response:
    """Make a secret for an authenticator app; it is in use once a code of it was given to `/confirm`."""
    owner = await require_owner(caller)
    async with caller.command() as command:
        begun = await commands.begin_totp(
            command.session, shared.ring, account_id=owner.account_id, new_id=new_id, now=command.now
        )
        return await command.respond(201, TotpBegun(secret=begun.secret, otpauth_uri=begun.uri))


@router.post(
    "/confirm",
    response_model=RecoveryCodes,
    openapi_extra=access("self") | described("确认验证器可用", "Prove the app works", example={"code": "123456"}),
)
async def confirm_totp(body: ConfirmTotp, caller: Caller, shared: Shared) -> Response:
    """Take the secret into use by a code of it, and give ten recovery codes. Five wrong codes, and the next waits."""
    owner = await require_owner(caller)
    async with caller.command() as command:
        codes = await commands.confirm_totp(command.session, shared.ring, owner, code=body.code, now=command.now)
        if codes is None:
            raise RefusedWithEffect(commands.CodeWrong())
        return await command.respond(200, RecoveryCodes(recovery_codes=codes))


@router.post(
    "/recovery-codes",
    response_model=RecoveryCodes,
    openapi_extra=access("self") | described("重新生成恢复码", "New recovery codes"),
)
async def renew_recovery_codes(caller: Caller, shared: Shared) -> Response:
    """Make ten new recovery codes; none of the former ones works any more."""
    owner = await require_owner(caller)
    async with caller.command() as command:
        codes = await commands.renew_recovery_codes(command.session, shared.ring, owner, now=command.now)
        return await command.respond(200, RecoveryCodes(recovery_codes=codes))


@router.delete("", status_code=204, openapi_extra=access("self") | described("停用验证器", "Use an app no longer"))
async def remove_totp(caller: Caller, shared: Shared) -> Response:
    """Forget the authenticator app and its recovery codes."""
    owner = await require_owner(caller)
    async with caller.command() as command:
        await commands.remove_totp(command.session, shared.ring, owner, now=command.now)
        return await command.respond(204)
