"""The refusals about assisted sessions as problem details: part of identity's table."""

from identity.assistance.commands import NoPhone, SessionUnknown, SubjectUnknown, WitnessFromElsewhere
from identity.assistance.rules import ActionUnlisted, HelpForOneself, NoConsent, NotAsked
from webapi import NOT_FOUND, Problem

PROBLEMS: dict[type[Exception], Problem] = {
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
