"""The kinds of items on a home: one line each says where it leads, what it is called, for whom it is, what ends it."""

from typing import Final, Literal, NamedTuple
from uuid import UUID


class Kind(NamedTuple):
    """One kind of item.

    `href` leads to its subject, whose id takes the place of `{}`. `audience` is `person` (one), `members` (everyone
    affiliated to an organisation or below it), or a permission (whoever holds it on that very organisation). An item
    leaves the home when its subject is over or, for one person, once they have done all its parts.
    """

    href: str
    zh: str
    en: str
    audience: str
    ends: Literal["when over", "when done"]

    def whose(self, whom: UUID) -> str:
        """Name the audience of an item: a person, or the members or the staff of an organisation."""
        return f"staff:{self.audience}:{whom}" if "." in self.audience else f"{self.audience}:{whom}"


KINDS: Final = {
    "activity.attend": Kind("/v1/activities/{}", "参加活动", "Take part in an activity", "members", "when done"),
    "course.study": Kind("/v1/courses/{}", "学习课程", "Study a course", "members", "when done"),
    "case.answer": Kind("/v1/cases/{}", "答复诉求", "Answer a case", "feedback.case.answer", "when over"),
    "case.confirm": Kind("/v1/cases/{}", "确认答复", "Confirm an answer", "person", "when over"),
    "case.follow": Kind("/v1/cases/{}", "跟进诉求", "Follow your case", "person", "when over"),
    "learner.help": Kind("/v1/lessons/{}", "帮助学员", "Help a learner", "learning.needs.read", "when over"),
}

STAFF_PERMISSIONS: Final = tuple(dict.fromkeys(kind.audience for kind in KINDS.values() if "." in kind.audience))
"""The permissions whose holders have something to do for an organisation."""
