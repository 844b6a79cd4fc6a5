"""Members, put together."""

from contracts.members import MembersAuditCheckpointedV1
from members.enrolment import problems as enrolment
from members.enrolment.routes import router as enrolment_router
from members.files import problems as files
from members.files.routes import router as files_router
from members.organisations import problems as organisations
from members.organisations.routes import router as organisations_router
from members.settings import Settings
from members.worker import CONSUMERS, JOBS, OWN_DATA, TOLD, WITNESS, opened
from service import Service

SERVICE = Service(
    name="members",
    title="Members",
    description="The organisation tree and the people in it.",
    settings=Settings,
    routers=(organisations_router, enrolment_router, files_router),
    problems=(organisations.PROBLEMS, enrolment.PROBLEMS, files.PROBLEMS),
    own_data=OWN_DATA,
    consumers=CONSUMERS,
    checkpoints=MembersAuditCheckpointedV1,
    jobs=JOBS,
    told=TOLD,
    witness=WITNESS,
    opened=opened,
    waits_for_recovery=True,  # erasures come back first
)
