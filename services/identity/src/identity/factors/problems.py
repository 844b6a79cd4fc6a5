"""The refusals about second factors as problem details: part of identity's table."""

from collections.abc import Mapping

from identity.factors.passkeys.ceremonies import PasskeyRefused
from identity.factors.passkeys.commands import PasskeyUnknown, TooManyPasskeys
from identity.factors.totp.commands import CodeWrong, TotpNotPending, TotpNotSetUp
from identity.factors.wechat.commands import WechatNotLinked
from webapi import NOT_FOUND, Problem

PROBLEMS: Mapping[type[Exception], Problem] = {
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
