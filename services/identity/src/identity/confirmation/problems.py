"""What officers are told when a confirmation is refused."""

from collections.abc import Mapping

from identity.confirmation.commands import AccountProven, OwnConfirmation
from webapi import Problem

PROBLEMS: Mapping[type[Exception], Problem] = {
    AccountProven: Problem(
        409,
        "account_proven",
        "This account is its owner's already; nothing is to be confirmed.",
        "此账号已由本人启用，无须确认。",
    ),
    OwnConfirmation: Problem(403, "own_confirmation", "Nobody confirms their own account.", "不能为自己的账号作确认。"),
}
