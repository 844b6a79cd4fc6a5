"""The refusals about recoveries as problem details: part of identity's table."""

from collections.abc import Mapping

from identity.recovery.rules import AlreadyApproved, OwnRecovery, RecoveryOver, RecoveryUnknown
from webapi import NOT_FOUND, Problem

PROBLEMS: Mapping[type[Exception], Problem] = {
    RecoveryUnknown: NOT_FOUND,
    OwnRecovery: Problem(
        403, "own_recovery", "Nobody approves the recovery of their own account.", "不能同意找回自己的账号。"
    ),
    AlreadyApproved: Problem(
        409, "already_approved", "You agreed already; it takes another officer.", "您已同意，须由另一名工作人员同意。"
    ),
    RecoveryOver: Problem(409, "recovery_over", "This recovery is not open to approval.", "此找回申请不在待同意状态。"),
}
