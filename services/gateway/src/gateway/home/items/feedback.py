"""What feedback puts on homes: cases to answer, to follow, to confirm, and to tell again; pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel

from contracts import feedback
from gateway.home.items import Action, Gone, Item, Kind, item
from gateway.words import Words


class CaseFacts(BaseModel):
    """What is known of a case."""

    category: str
    status: str


ANSWER = Kind(
    "case.answer",
    "case",
    "todo",
    "答复诉求",
    "Answer a case",
    "feedback.case.answer",
    "when over",
    CaseFacts,
    actions=(Action("feedback_answer_case", "POST", "/v1/cases/{subject_id}/answers", body={}, needs=("text",)),),
)
CONFIRM = Kind(
    "case.confirm",
    "case",
    "todo",
    "确认答复",
    "Confirm an answer",
    "person",
    "when over",
    CaseFacts,
    actions=(Action("feedback_confirm_answer", "POST", "/v1/cases/{subject_id}/confirmation"),),
)
FOLLOW = Kind("case.follow", "case", "waiting", "等待答复", "Wait for an answer", "person", "when over", CaseFacts)
_LOST: Final = Words(
    "您反映的一件事在系统恢复时丢失了，请再说一次",
    "Something you told us was lost when the system was restored: please say it again",
)
TELL_AGAIN = Kind(
    "case.tell_again",
    "case",
    "todo",
    "重新反映诉求",
    "Say it again",
    "person",
    "when over",
    CaseFacts,
    title=lambda _: _LOST,
    actions=(
        Action(
            "feedback_open_case",
            "POST",
            "/v1/cases",
            body={"case_id": "{subject_id}", "category": "{category}", "organisation_id": "{organisation_id}"},
            needs=("text",),
        ),
    ),
)
"""Said again under its id, it is the case once more, and this item what that is to the reporter."""
KINDS = (ANSWER, CONFIRM, FOLLOW, TELL_AGAIN)

ASKED_FOR: Final = timedelta(days=90)
"""How long a reporter is asked to say again what was lost."""

_OF_THE_REPORTER = {"open": FOLLOW, "answered": CONFIRM}
"""What a case in this status is to the person who brought it; in any other, known or not, it is on nobody's home."""


def of_case(event: feedback.CaseState, version: int, _: datetime) -> Iterator[Item]:
    """A case is to be answered by the responsible organisation, then confirmed by the person who brought it."""
    facts = {"category": event.category, "status": event.status}
    yield item(
        ANSWER,
        version,
        whom=event.responsible_id,
        subject_id=event.case_id,
        organisation_id=event.organisation_id,
        since=event.opened_at,
        due_at=event.due_at,
        is_open=event.status == "open",
        facts=facts,
    )
    if event.reporter_id is None:
        return
    following = item(
        _OF_THE_REPORTER.get(event.status, FOLLOW),
        version,
        whom=event.reporter_id,
        subject_id=event.case_id,
        organisation_id=event.organisation_id,
        since=event.answered_at or event.opened_at,
        due_at=None if event.status == "answered" else event.due_at,
        is_open=event.status in _OF_THE_REPORTER,
        facts=facts,
    )
    yield following._replace(key=f"{CONFIRM.name}:{event.case_id}")  # one item, whatever it is to them now


def of_withdrawn_case(event: feedback.CaseWithdrawnV1, version: int, time: datetime) -> Iterator[Gone]:
    """There is nothing to answer; who waited for an answer, or had one to confirm, is asked to say it again."""
    yield Gone(f"{ANSWER.name}:{event.case_id}", version, time)
    yield Gone(f"{CONFIRM.name}:{event.case_id}", version, time, time + ASKED_FOR, TELL_AGAIN.name)


SHOWN = {feedback.CaseState: of_case, feedback.CaseWithdrawnV1: of_withdrawn_case}
