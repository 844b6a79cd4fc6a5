"""The refusals about clients as problem details: part of identity's table."""

from identity.clients.commands import (
    ClientBuiltIn,
    ClientExists,
    ClientHasNoSecret,
    ClientNotInForce,
    ClientUnknown,
    FourEyes,
    ProposalNotPending,
)
from identity.clients.rules import ClientUnusable, GrantsUnusable
from webapi import NOT_FOUND, Problem

PROBLEMS: dict[type[Exception], Problem] = {
    ClientUnknown: NOT_FOUND,
    ClientUnusable: Problem(422, "client_unusable", "This cannot be a client.", "不能登记这样的客户端。", ("field",)),
    GrantsUnusable: Problem(
        422,
        "grants_unusable",
        "This type of client has other sets of grants.",
        "此类客户端的授权方式组合不同。",
        ("field", "allowed"),
    ),
    ClientExists: Problem(409, "client_exists", "This client id is taken.", "此客户端编号已被使用。"),
    ClientBuiltIn: Problem(
        409, "client_built_in", "This client comes with the system.", "此客户端为系统自带，不能更改。"
    ),
    ProposalNotPending: Problem(
        409, "proposal_not_pending", "The proposal was decided on or replaced.", "该申请已处理或已被替换。"
    ),
    FourEyes: Problem(403, "four_eyes", "Nobody decides on their own proposal.", "不能审核自己提出的申请。"),
    ClientNotInForce: Problem(
        409, "client_not_in_force", "The client's status does not allow this.", "客户端当前状态不允许此操作。"
    ),
    ClientHasNoSecret: Problem(
        409, "client_has_no_secret", "The client does not use a secret.", "该客户端不使用密钥。"
    ),
}
