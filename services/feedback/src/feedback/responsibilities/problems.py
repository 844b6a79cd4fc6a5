"""How the refusals about responsibilities are answered."""

from feedback.responsibilities.commands import ResponsibilityTaken
from feedback.responsibilities.rules import CategoryWithoutOwner
from webapi import Problem

PROBLEMS: dict[type[Exception], Problem] = {
    CategoryWithoutOwner: Problem(
        422,
        "category_without_owner",
        "Nobody is responsible for this category in the whole tree on that day.",
        "该类别当日在全省范围内尚无负责组织。",
    ),
    ResponsibilityTaken: Problem(
        409,
        "responsibility_taken",
        "This id is taken, or this category and place have one from that day on already.",
        "该编号已被使用,或该类别在此地当日已有负责组织。",
    ),
}
