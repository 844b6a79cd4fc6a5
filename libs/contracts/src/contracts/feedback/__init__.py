"""Events of feedback: cases, who answers them by when, and what the person says of the answer."""

from contracts.audit import FeedbackAuditCheckpointedV1
from contracts.feedback.case import CaseAnsweredV1, CaseConfirmedV1, CaseOpenedV1, CaseState

__all__ = [
    "CaseAnsweredV1",
    "CaseConfirmedV1",
    "CaseOpenedV1",
    "CaseState",
    "FeedbackAuditCheckpointedV1",
]
