"""The refusals about roles as problem details: part of identity's table."""

from identity.roles.assignments import AssignmentExists, AssignmentUnknown, RoleUnknown
from identity.roles.independence import NotIndependent
from identity.roles.reach import RoleBeyondRemit
from identity.roles.rules import (
    AdministrationsCombined,
    AlreadyDecided,
    BeyondOwnPeriod,
    DaysOutOfOrder,
    LastAdministrator,
    RoleForOneself,
    RoleNotDelegable,
    RoleNotYours,
    SecondPersonNeeded,
    TooManyRoles,
)
from webapi import NOT_FOUND, Problem

PROBLEMS: dict[type[Exception], Problem] = {
    AssignmentUnknown: NOT_FOUND,
    AssignmentExists: Problem(409, "assignment_exists", "This id is taken.", "此编号已被使用。"),
    RoleUnknown: Problem(422, "role_unknown", "There is no such role.", "没有此角色。"),
    RoleForOneself: Problem(403, "role_for_oneself", "Nobody grants a role to themselves.", "不能给自己授予角色。"),
    RoleNotYours: Problem(403, "role_not_yours", "None of your roles may grant this one.", "您的角色无权授予此角色。"),
    RoleNotDelegable: Problem(403, "role_not_delegable", "This role cannot be handed on.", "此角色不可转授。"),
    BeyondOwnPeriod: Problem(
        422,
        "beyond_own_period",
        "A role is handed on for days on which one holds it oneself.",
        "转授的期限不能超出本人任职的期限。",
    ),
    SecondPersonNeeded: Problem(
        403,
        "second_person_needed",
        "Whoever proposed this role, and whoever is to hold it, does not decide about it.",
        "提议人和拟任人不能审批此角色，须由第二人审批。",
    ),
    AlreadyDecided: Problem(
        409, "already_decided", "This proposal waits for nobody any more.", "此提议已有结果或已失效。"
    ),
    AdministrationsCombined: Problem(
        409,
        "administrations_combined",
        "No account combines two of system, security and audit administration, or one with a role that reads files.",
        "系统管理、安全管理、审计管理不得由同一账号兼任，也不得兼任可查阅党员档案的角色。",
    ),
    LastAdministrator: Problem(
        409,
        "last_administrator",
        "Nobody else would be left with this administration; give it to another first.",
        "此人是最后一名该类管理员，请先授予他人。",
    ),
    TooManyRoles: Problem(409, "too_many_roles", "This person holds too many roles.", "此人的角色过多。"),
    DaysOutOfOrder: Problem(
        422,
        "days_out_of_order",
        "The role would end before it begins, or is over.",
        "角色的结束日期早于开始日期，或已经过去。",
    ),
    NotIndependent: Problem(
        403,
        "not_independent",
        "Your office comes of another of those who decide or of the person it is about, or one person alone made both.",
        "您的权限来自另一经办人或本人，或与其同由一人单独授予，不能由您办理。",
    ),
    RoleBeyondRemit: Problem(
        403,
        "role_beyond_scope",
        "This person holds a role where you have no say.",
        "此人在您的管理范围之外担任角色。",
    ),
}
