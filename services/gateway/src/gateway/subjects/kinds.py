"""The kinds of subjects, each with its owner and the list in which it is read by its id."""

from collections.abc import Mapping
from typing import Final, NamedTuple


class Kind(NamedTuple):
    """One kind of subject: the list at `path` of `service` gives those that the parameter and field `id_name` names.

    `action` is what opens that list to a helper; nothing does without one.
    """

    service: str
    path: str
    id_name: str
    action: str | None


KINDS: Final[Mapping[str, Kind]] = {
    "activity": Kind("activities", "/v1/activities", "activity_id", "activities.register"),
    "course": Kind("learning", "/v1/courses", "course_id", "learning.study"),
    "lesson": Kind("learning", "/v1/lessons", "lesson_id", "learning.study"),
    "account_list": Kind("identity", "/v1/account-lists", "list_id", None),
    "case": Kind("feedback", "/v1/cases", "case_id", "feedback.confirm_case"),
}
