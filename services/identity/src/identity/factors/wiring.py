"""What the application takes from here: routes and pages, refusals, and the adapter to WeChat."""

from identity.factors.pages import router as second_factor_router
from identity.factors.passkeys.commands import PasskeyUnknown, TooManyPasskeys
from identity.factors.passkeys.pages import router as passkey_page_router
from identity.factors.passkeys.routes import router as passkeys_router
from identity.factors.passkeys.verifying import PasskeyRefused
from identity.factors.security_page import router as security_page_router
from identity.factors.totp.commands import CodeWrong, TotpNotPending, TotpNotSetUp
from identity.factors.totp.routes import router as totp_router
from identity.factors.wechat.commands import WechatNotLinked
from identity.factors.wechat.pages import router as wechat_page_router
from identity.factors.wechat.routes import router as wechat_router
from identity.settings import Settings
from identity.wechat import Wechat
from webapi import NOT_FOUND, Problem

ROUTERS = [
    totp_router,
    passkeys_router,
    wechat_router,
    second_factor_router,
    passkey_page_router,
    wechat_page_router,
    security_page_router,
]

PROBLEMS = {
    PasskeyUnknown: NOT_FOUND,
    TotpNotSetUp: NOT_FOUND,
    WechatNotLinked: NOT_FOUND,
    CodeWrong: Problem(422, "code_wrong", "The code is not right, or was used before.", "验证码不对，或者已经用过。"),
    TotpNotPending: Problem(
        409, "totp_not_pending", "No authenticator app waits to be confirmed.", "没有等待确认的验证器应用。"
    ),
    PasskeyRefused: Problem(
        422, "passkey_refused", "The passkey was not accepted; begin again.", "通行密钥未通过验证，请重新添加。"
    ),
    TooManyPasskeys: Problem(409, "too_many_passkeys", "The account has 20 passkeys.", "此账号的通行密钥已达 20 个。"),
}


def wechat_of(settings: Settings) -> Wechat | None:
    """Give the adapter to WeChat, None where it is not configured."""
    if not settings.wechat_app_id:
        return None
    return Wechat(
        app_id=settings.wechat_app_id,
        secret=settings.wechat_secret.get_secret_value(),
        kind=settings.wechat_kind,
        address=str(settings.wechat_address),
        api_address=str(settings.wechat_api_address),
    )
