"""What feedback puts on homes: cases to answer, to follow and to confirm; pure."""

from collections.abc import Iterator
from datetime import datetime

from contracts import feedback
from gateway.home.items import Item, item

_OF_THE_REPORTER = {"open": "case.follow", "answered": "case.confirm"}
"""What a case in this status is to the person who brought it; in any other, known or not, it is on nobody's home."""


def of_case(event: feedback.CaseState, version: int, _: datetime) -> Iterator[Item]:
    """A case is to be answered by the responsible organisation, then confirmed by the person who brought it."""
    facts = {"category": event.category, "status": event.status}
    yield item(
        "case.answer",
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
        _OF_THE_REPORTER.get(event.status, "case.follow"),
        version,
        whom=event.reporter_id,
        subject_id=event.case_id,
        organisation_id=event.organisation_id,
        since=event.answered_at or event.opened_at,
        due_at=None if event.status == "answered" else event.due_at,
        is_open=event.status in _OF_THE_REPORTER,
        facts=facts,
    )
    yield following._replace(key=f"case.confirm:{event.case_id}")  # one item, whatever it is to them now
