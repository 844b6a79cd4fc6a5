"""What clients are told when a phone replacement is refused."""

from identity.phone_replacement.rules import OwnReplacement, ReplacementOver, ReplacementUnderWay, ReplacementUnknown
from webapi import NOT_FOUND, Problem

PROBLEMS: dict[type[Exception], Problem] = {
    ReplacementUnknown: NOT_FOUND,
    OwnReplacement: Problem(
        403,
        "own_phone_replacement",
        "Nobody replaces the phone of their own account here.",
        "不能在此为自己的账号更换手机号。",
    ),
    ReplacementUnderWay: Problem(
        409,
        "phone_replacement_under_way",
        "Another number for this person is under way; it is approved, objected to, or lapses after seven days.",
        "此人已有更换手机号的申请在办；须待其办结、被异议终止或七日后失效。",
    ),
    ReplacementOver: Problem(
        409,
        "phone_replacement_over",
        "This replacement is not at that step, or its time is over.",
        "此更换申请不在该步骤，或已超过时限。",
    ),
}
