"""What the other services tell of their audit is signed here, with a key that they lack."""

from typing import Final

from audit.witnessing import Witness
from contracts.activities import ActivitiesAuditCheckpointedV1
from contracts.feedback import FeedbackAuditCheckpointedV1
from contracts.gateway import GatewayAuditCheckpointedV1
from contracts.learning import LearningAuditCheckpointedV1
from contracts.members import MembersAuditCheckpointedV1

WITNESS: Final = Witness(
    MembersAuditCheckpointedV1,
    ActivitiesAuditCheckpointedV1,
    LearningAuditCheckpointedV1,
    FeedbackAuditCheckpointedV1,
    GatewayAuditCheckpointedV1,
)
"""Its keys are given before the worker runs. Identity's own audit is witnessed by members."""
