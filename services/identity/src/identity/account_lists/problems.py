"""The refusals about lists of accounts as problem details: part of identity's table."""

from identity.account_lists.rules import AccountListDecided, AccountListUnknown, TooManyLists
from webapi import NOT_FOUND, Problem

PROBLEMS: dict[type[Exception], Problem] = {
    AccountListUnknown: NOT_FOUND,
    AccountListDecided: Problem(
        409, "account_list_decided", "This list waits for nobody any more.", "此名单已有结果或已失效。"
    ),
    TooManyLists: Problem(
        409,
        "too_many_account_lists",
        "Too many of your lists wait for a second person; have some decided about, or withdraw them.",
        "您提交的待审名单过多，请先由第二人审批或自行撤回一部分。",
    ),
}
