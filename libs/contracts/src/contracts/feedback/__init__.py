"""Events of feedback: cases, who answers them by when, and what the person says of the answer."""

from contracts.audit import FeedbackAuditCheckpointedV1 as FeedbackAuditCheckpointedV1
from contracts.feedback.case import *
