"""The refusals about accounts out of use as problem details: part of identity's table."""

from identity.deactivation.commands import AccountErased, OwnAccount
from webapi import Problem

PROBLEMS: dict[type[Exception], Problem] = {
    OwnAccount: Problem(403, "own_account", "Nobody takes their own account out of use.", "不能停用或启用自己的账号。"),
    AccountErased: Problem(409, "account_erased", "This account was erased for good.", "此账号已被彻底删除。"),
}
