"""How the refusals about scheduled activities are answered."""

from activities.scheduling.commands import ActivityIdTaken, ActivityUnknown
from activities.scheduling.rules import EndsBeforeItStarts, LastsTooLong, NotYetBegun
from webapi import NOT_FOUND, Problem

PROBLEMS: dict[type[Exception], Problem] = {
    ActivityUnknown: NOT_FOUND,
    ActivityIdTaken: Problem(
        409, "activity_id_taken", "This id belongs to another activity.", "该编号已用于另一项活动。"
    ),
    NotYetBegun: Problem(409, "not_yet_begun", "The activity has not begun yet.", "活动尚未开始。"),
    EndsBeforeItStarts: Problem(
        422, "ends_before_it_starts", "The end must be after the start.", "结束时间须晚于开始时间。"
    ),
    LastsTooLong: Problem(422, "lasts_too_long", "An activity lasts 31 days at most.", "活动最长为 31 天。"),
}
