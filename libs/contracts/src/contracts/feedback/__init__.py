"""Events of feedback: cases, who answers them by when, and what the person says of the answer."""

from contracts.audit import FeedbackAuditCheckpointedV1 as FeedbackAuditCheckpointedV1
from contracts.feedback.case import CaseAnsweredV1 as CaseAnsweredV1
from contracts.feedback.case import CaseConfirmedV1 as CaseConfirmedV1
from contracts.feedback.case import CaseOpenedV1 as CaseOpenedV1
from contracts.feedback.case import CaseState as CaseState
