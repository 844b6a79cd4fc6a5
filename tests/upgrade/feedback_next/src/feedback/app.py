"""Feedback, put together."""

from contracts.feedback import FeedbackAuditCheckpointedV1
from feedback.cases import problems as cases
from feedback.cases.routes import router as cases_router
from feedback.cases.urgency import router as urgency_router
from feedback.responsibilities import problems as responsibilities
from feedback.responsibilities.routes import router as responsibilities_router
from feedback.worker import CONSUMERS, OWN_DATA
from service import Service
from webapi.sealing import SealingSettings

SERVICE = Service(
    name="feedback",
    title="Feedback",
    description="What people say, and what is done about it.",
    settings=SealingSettings,
    routers=(cases_router, urgency_router, responsibilities_router),
    problems=(cases.PROBLEMS, responsibilities.PROBLEMS),
    own_data=OWN_DATA,
    consumers=CONSUMERS,
    checkpoints=FeedbackAuditCheckpointedV1,
    waits_for_recovery=True,  # erasures come back first
)
