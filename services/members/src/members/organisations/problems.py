"""How the refusals about organisations are answered."""

from members.organisations.commands import ChangedMeanwhile, OrganisationUnknown, ParentUnknown, RootStays
from members.refused_rows import RowsRefused
from webapi import NOT_FOUND, Problem

PROBLEMS: dict[type[Exception], Problem] = {
    OrganisationUnknown: NOT_FOUND,
    ParentUnknown: Problem(
        422, "parent_unknown", "There is no such parent within your scope.", "上级组织不存在或不在您的管理范围内。"
    ),
    RootStays: Problem(409, "root_stays", "The root of the tree cannot be moved.", "根组织不能移动。"),
    ChangedMeanwhile: Problem(
        409,
        "changed_meanwhile",
        "Another request did this just now; send it again.",
        "另一请求刚刚作了更改，请重新提交。",
    ),
    RowsRefused: Problem(
        422, "rows_refused", "Rows are wrong; nothing was done.", "部分行有误，未作任何更改。", ("rows",)
    ),
}
