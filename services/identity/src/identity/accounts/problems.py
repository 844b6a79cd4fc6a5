"""The refusals about accounts as problem details: part of identity's table."""

from identity.accounts.authorization import AccountUnknown
from identity.accounts.commands import AccountExists, UsernameTaken
from identity.accounts.phones import PhoneTaken
from webapi import Problem

PROBLEMS: dict[type[Exception], Problem] = {
    AccountUnknown: Problem(422, "account_unknown", "This person has no account.", "此人没有账号。"),
    AccountExists: Problem(409, "account_exists", "This person has an account already.", "此人已有账号。"),
    UsernameTaken: Problem(409, "username_taken", "This user name is taken.", "此用户名已被使用。"),
    PhoneTaken: Problem(
        409,
        "phone_taken",
        "This number belongs to another account; a number can belong to one person alone, in a family too.",
        "此手机号已属于另一个账号；一个手机号只能归一人使用，家人共用的手机也是如此。",
    ),
}
