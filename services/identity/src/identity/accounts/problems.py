"""The refusals about accounts as problem details: part of identity's table."""

from identity.accounts.authorization import AccountUnknown
from identity.accounts.commands import AccountExists, PhoneOfAnother, UsernameTaken
from identity.accounts.phones import PhoneTaken
from webapi import Problem

PROBLEMS: dict[type[Exception], Problem] = {
    AccountUnknown: Problem(422, "account_unknown", "This person has no account.", "此人没有账号。"),
    AccountExists: Problem(409, "account_exists", "This person has an account already.", "此人已有账号。"),
    UsernameTaken: Problem(409, "username_taken", "This user name is taken.", "此用户名已被使用。"),
    PhoneOfAnother: Problem(
        422,
        "phone_of_another",
        "The account of a member is opened without a phone; its owner puts one on file after the first sign-in.",
        "为党员开立账号时不填手机号；请本人首次登录后自行登记。",
    ),
    PhoneTaken: Problem(
        409,
        "phone_taken",
        "This number belongs to another account; a number can belong to one person alone, in a family too.",
        "此手机号已属于另一个账号；一个手机号只能归一人使用，家人共用的手机也是如此。",
    ),
}
