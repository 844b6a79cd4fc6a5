"""How the refusals about taking part are answered."""

import rulebook
from activities.participation.rules import ActivityClosed, ActivityOver, NotAMemberThere
from webapi import Problem

PROBLEMS: dict[type[Exception], Problem] = {
    ActivityClosed: Problem(
        409,
        "activity_closed",
        "The activity is closed; its attendance is final.",
        "活动已结束登记,出席情况不能再更改。",
    ),
    ActivityOver: Problem(409, "activity_over", "The activity is over.", "活动已经结束。"),
    NotAMemberThere: Problem(
        403,
        "not_a_member_there",
        "Only members of the organisation that holds it, or of one below, take part.",
        "仅限主办组织及其下级组织的成员参加。",
    ),
    rulebook.NoVersionHolds: Problem(
        422, "no_rule_holds", "No rule is known here for the day of this activity.", "该活动日期没有适用的规则。"
    ),
}
