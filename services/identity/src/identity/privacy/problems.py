"""How refusals of assisted sessions and of privacy look over HTTP."""

from collections.abc import Mapping

from identity.assistance.commands import NoPhone, SessionUnknown, SubjectUnknown, WitnessFromElsewhere
from identity.assistance.rules import ActionUnlisted, HelpForOneself, NoConsent, NotAsked
from identity.privacy.erasure import AlreadyErased
from identity.privacy.exports import ExportUnknown, TooManyExports
from identity.privacy.legal_holds import HoldUnknown, OwnHold, PersonUnknown
from identity.privacy.rules import HoldBasisUnknown, LegallyHeld, NotByConsent, PurposeUnknown, TextChanged
from identity.roles.independence import NotIndependent
from webapi import NOT_FOUND, Problem

ASSISTANCE_PROBLEMS: Mapping[type[Exception], Problem] = {
    SessionUnknown: NOT_FOUND,
    SubjectUnknown: NOT_FOUND,
    WitnessFromElsewhere: NOT_FOUND,
    ActionUnlisted: Problem(
        422, "action_unlisted", "Nobody can be helped with one of these actions.", "其中有不可代办的事项。"
    ),
    HelpForOneself: Problem(
        403,
        "help_for_oneself",
        "Helper, person and witness are three people.",
        "代办人、本人和见证人须为不同的人。",
    ),
    NotIndependent: Problem(
        403,
        "not_independent",
        "Your office was handed on by another of those who decide, or by the person it is about.",
        "您的权限来自另一经办人或本人的委托，不能由您办理。",
    ),
    NoPhone: Problem(
        409,
        "no_phone",
        "There is no phone on file for a code; let a witness confirm instead.",
        "未登记手机号，无法发送验证码；请改由见证人确认。",
    ),
    NotAsked: Problem(
        409,
        "not_asked",
        "The session does not wait for this any more, or for another kind of consent.",
        "该协助申请已过期、已处理，或须以其他方式同意。",
    ),
    NoConsent: Problem(
        409, "no_consent", "The person has not agreed, or the session is over.", "本人尚未同意，或协助已结束。"
    ),
}
PRIVACY_PROBLEMS: Mapping[type[Exception], Problem] = {
    PurposeUnknown: NOT_FOUND,
    ExportUnknown: NOT_FOUND,
    HoldUnknown: NOT_FOUND,
    PersonUnknown: NOT_FOUND,
    NotByConsent: Problem(
        409,
        "not_by_consent",
        "This purpose does not rest on consent.",
        "此项用途不以同意为依据。",
        ("basis",),
    ),
    TextChanged: Problem(
        409,
        "consent_text_changed",
        "The text was changed; read the present one.",
        "告知内容已更新，请阅读现行内容。",
        ("text_version", "text_zh", "text_en"),
    ),
    HoldBasisUnknown: Problem(422, "hold_basis_unknown", "There is no such basis for a hold.", "没有此项保全依据。"),
    OwnHold: Problem(
        403, "own_hold", "Nobody holds their own data, or lets go of it.", "不得对本人数据设置或解除保全。"
    ),
    LegallyHeld: Problem(
        409, "legal_hold", "Your data must be preserved for now.", "您的数据依法须暂予保存。", ("bases",)
    ),
    AlreadyErased: Problem(409, "already_erased", "The account is gone already.", "该账号已注销。"),
    TooManyExports: Problem(
        429,
        "too_many_exports",
        "Five files a day; the last ones can still be fetched.",
        "每天最多生成五份，之前生成的仍可下载。",
    ),
}
