"""The refusals about exports, erasure and legal holds as problem details: part of identity's table."""

from identity.privacy.erasure import AlreadyErased
from identity.privacy.exports import ExportUnknown
from identity.privacy.legal_holds import HoldUnknown, OwnHold, PersonUnknown
from identity.privacy.rules import HoldBasisUnknown, LegallyHeld
from webapi import NOT_FOUND, Problem

PROBLEMS: dict[type[Exception], Problem] = {
    ExportUnknown: NOT_FOUND,
    HoldUnknown: NOT_FOUND,
    PersonUnknown: NOT_FOUND,
    HoldBasisUnknown: Problem(422, "hold_basis_unknown", "There is no such basis for a hold.", "没有此项保全依据。"),
    OwnHold: Problem(
        403, "own_hold", "Nobody holds their own data, or lets go of it.", "不得对本人数据设置或解除保全。"
    ),
    LegallyHeld: Problem(
        409, "legal_hold", "Your data must be preserved for now.", "您的数据依法须暂予保存。", ("bases",)
    ),
    AlreadyErased: Problem(409, "already_erased", "The account is gone already.", "该账号已注销。"),
}
