"""The refusals about sessions and accounts out of use as problem details: part of identity's table."""

from collections.abc import Mapping

from identity.accounts.deactivation import AccountErased, OwnAccount
from identity.accounts.scope import RoleBeyondScope
from identity.sessions.commands import SessionUnknown
from webapi import NOT_FOUND, Problem

PROBLEMS: Mapping[type[Exception], Problem] = {
    SessionUnknown: NOT_FOUND,
    OwnAccount: Problem(403, "own_account", "Nobody takes their own account out of use.", "不能停用或启用自己的账号。"),
    RoleBeyondScope: Problem(
        403,
        "role_beyond_scope",
        "This person holds a role where you have no say.",
        "此人在您的管理范围之外担任角色。",
    ),
    AccountErased: Problem(409, "account_erased", "This account was erased for good.", "此账号已被彻底删除。"),
}
