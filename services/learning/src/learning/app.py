"""Learning, put together."""

from contracts.learning import LearningAuditCheckpointedV1
from learning.courses import problems as courses
from learning.courses.routes import router as courses_router
from learning.courses.telling import TOLD as COURSE
from learning.help_requests import problems as help_requests
from learning.help_requests.routes import router as help_requests_router
from learning.study import problems as study
from learning.study.routes import router as study_router
from learning.study.telling import TOLD as LESSON_STUDY
from learning.worker import CONSUMERS, JOBS, OWN_DATA, mend_rollups
from service import Service
from webapi import ServiceSettings

SERVICE = Service(
    name="learning",
    title="Learning",
    description="What people can learn, and where they need help.",
    settings=ServiceSettings,
    routers=(courses_router, study_router, help_requests_router),
    problems=(courses.PROBLEMS, study.PROBLEMS, help_requests.PROBLEMS),
    own_data=OWN_DATA,
    consumers=CONSUMERS,
    checkpoints=LearningAuditCheckpointedV1,
    jobs=JOBS,
    told=(COURSE, LESSON_STUDY),
    tasks={"mend-rollups": mend_rollups},
)
