"""What a case's status allows, as pure functions."""

from typing import Literal

CaseStatus = Literal["open", "answered", "confirmed"]


class CaseNotOpen(Exception):
    """The case has its answer already."""


class CaseNotAnswered(Exception):
    """A case without an answer cannot be confirmed."""


class NotResponsible(Exception):
    """The caller may see the case but does not act for the organisation that must answer it."""


class NotTheReporter(Exception):
    """Only the person who opened the case can confirm its answer."""


def check_can_answer(status: CaseStatus) -> None:
    """Raise `CaseNotOpen` unless the case waits for an answer."""
    if status != "open":
        raise CaseNotOpen


def check_can_confirm(status: CaseStatus) -> None:
    """Raise `CaseNotAnswered` while the case waits for an answer."""
    if status == "open":
        raise CaseNotAnswered
