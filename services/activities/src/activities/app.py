"""Activities, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from activities.participation import problems as participation
from activities.participation.gathering import Gathering
from activities.participation.routes import router as participation_router
from activities.participation.telling import TOLD as PARTICIPATION
from activities.scheduling import problems as scheduling
from activities.scheduling.routes import router as scheduling_router
from activities.scheduling.telling import TOLD as ACTIVITY
from activities.worker import CONSUMERS, OWN_DATA
from contracts.activities import ActivitiesAuditCheckpointedV1
from service import Service
from webapi import Application, ServiceSettings


def _gather_check_ins(application: Application, _: ServiceSettings) -> None:
    """Write the check-ins of the same moment together; at its end the application finishes those it has begun."""
    gathering = application.state.gathering = Gathering(application.database)

    @asynccontextmanager
    async def running(_: Application) -> AsyncIterator[None]:
        yield
        await gathering.finish()

    application.hooks.append(running)


SERVICE = Service(
    name="activities",
    title="Activities",
    description="Organisational life: meetings, registration, attendance.",
    settings=ServiceSettings,
    routers=(scheduling_router, participation_router),
    problems=(scheduling.PROBLEMS, participation.PROBLEMS),
    own_data=OWN_DATA,
    consumers=CONSUMERS,
    checkpoints=ActivitiesAuditCheckpointedV1,
    told=(ACTIVITY, PARTICIPATION),
    extended=_gather_check_ins,
)
