"""How the refusals about cases are answered."""

from feedback.cases.commands import CaseIdTaken, PlaceUnknown, ReporterErased
from feedback.cases.queries import CaseUnknown
from feedback.cases.rules import CaseNotAnswered, CaseNotOpen, NotResponsible, NotTheReporter
from webapi import NOT_FOUND, Problem

PROBLEMS: dict[type[Exception], Problem] = {
    CaseUnknown: NOT_FOUND,
    PlaceUnknown: Problem(422, "place_unknown", "This place is not known.", "未找到该地点。"),
    CaseIdTaken: Problem(409, "case_id_taken", "This id belongs to another case.", "该编号已用于另一事项。"),
    ReporterErased: Problem(
        409,
        "reporter_erased",
        "Who brought this case is erased, and what they said with them.",
        "该事项的提出人已注销，其内容已一并删除。",
    ),
    CaseNotOpen: Problem(409, "case_not_open", "The case has its answer already.", "该事项已答复。"),
    CaseNotAnswered: Problem(409, "case_not_answered", "The case has no answer yet.", "该事项尚未答复。"),
    NotResponsible: Problem(
        403, "not_responsible", "Another organisation must answer this case.", "该事项由其他组织负责答复。"
    ),
    NotTheReporter: Problem(
        403, "not_the_reporter", "Only the person who opened the case confirms its answer.", "仅提出人本人可确认答复。"
    ),
}
