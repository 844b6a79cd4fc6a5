"""What a service is made of, and the three things that are made of it: application, worker, command line."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Generic, NoReturn, TypeVar

from fastapi import APIRouter

import audit.chaining
import audit.routes
import messaging
import orgtree
import privacy
from audit.assisted import record_assisted
from audit.attempts import record_refused
from audit.command import AuditWitnessed, VerifyAudit
from audit.witnessing import Witness
from background import Job
from contracts.audit import AuditChainState
from contracts.identity import PersonErasedV1
from database import Database
from messaging import Consumer, ParkedCommand, RecoveryCommand, Told
from service.beats import beating
from service.catching_up import CatchingUp, Refusing
from service.problems import joined
from webapi import (
    Application,
    Problem,
    ServiceSettings,
    TaskWithArguments,
    follow_revocations,
    open_database,
    purge_idempotency_keys,
    serve,
)
from webapi.sealing import ring_of
from webapi.serving import Task

S = TypeVar("S", bound=ServiceSettings)

_PURGING = Job("purge_idempotency_keys", timedelta(hours=1), purge_idempotency_keys)


@dataclass(frozen=True, kw_only=True)
class Service(Generic[S]):
    """One service, by its `name`: the package, the database, the stream, the API's `title` and `description`.

    `routers`, `problems` and `own_data` come from its features, `consumers` and `jobs` say what it does behind them;
    one of the consumers has `privacy.handlers`. `told` are its aggregates, for those who have to hear of them anew.
    `checkpoints` is the event that tells of its audit, `witness` what signs those of others, `own_actions` what people
    see of their own doing in their access log. `tasks` are further commands of its command line.

    Where settings decide, a function does: `extended` changes the application that was made, `opened` opens what
    further jobs need and gives them. The part of a person's file has a route unless `serves_part` is False. One that
    `waits_for_recovery` answers nobody while what its restored database forgot is not settled, but for some paths.
    """

    name: str
    title: str
    description: str
    settings: type[S]
    routers: Sequence[APIRouter]
    problems: Sequence[Mapping[type[Exception], Problem]]
    own_data: privacy.AllOwnData
    consumers: Sequence[Consumer]
    checkpoints: type[AuditChainState]
    jobs: Sequence[Job] = ()
    told: Sequence[Told] = ()
    witness: Witness | None = None
    own_actions: Collection[str] = ()
    tasks: "Mapping[str, Task[S] | TaskWithArguments]" = field(default_factory=dict)
    extended: Callable[[Application, S], None] | None = None
    opened: Callable[[S], AbstractAsyncContextManager[Sequence[Job]]] | None = None
    serves_part: bool = True
    waits_for_recovery: bool = False
    answers_meanwhile: Collection[str] = ()

    def application(self, settings: S) -> Application:
        """Compose the HTTP application."""
        database = open_database(self.name, settings)
        nats = messaging.NatsConnection(settings.nats_url, name=f"{self.name}-api")
        catching_up = CatchingUp(database)
        parts = [self.parts(settings).router()] if self.serves_part else []
        application = Application(
            self.name,
            title=self.title,
            description=self.description,
            settings=settings,
            database=database,
            routers=[*self.routers, *parts, audit.routes.router(self.name, own=self.own_actions)],
            problems=joined(self.problems),
            remit_resolver=orgtree.Permissions(database).remit,
            record_assisted=record_assisted,
            record_refused=record_refused,
            checks={"nats": nats.ping, "recovery": catching_up.check},
            hooks=[_provisioned, catching_up.watched, nats.kept, follow_revocations(messaging.Tail(nats))],
        )
        application.state.nats = nats
        if self.waits_for_recovery:
            application.add_middleware(Refusing, recovery=catching_up, but=self.answers_meanwhile)
        if self.extended is not None:
            self.extended(application, settings)
        own_checks = dict(application.checks)  # a worker beside it speaks for itself
        application.hooks.append(lambda _: beating(nats, self.name, "api", own_checks))
        audit.require_audited(application.routes)
        return application

    @asynccontextmanager
    async def worker(self, settings: S, database: Database) -> AsyncIterator[messaging.Worker]:
        """Open the background half on the process's database; the broker's connection is closed when it has drained."""
        if self.witness is not None:
            self.witness.ring = ring_of(settings)
        await audit.require_current(database)
        async with AsyncExitStack() as stack:
            further = await stack.enter_async_context(self.opened(settings)) if self.opened is not None else ()
            nats = await messaging.connect(settings.nats_url, name=self.name)
            stack.push_async_callback(nats.close)
            jobs = (
                *self.jobs,
                *further,
                _PURGING,
                *audit.chaining.jobs(self.checkpoints, keep_days=settings.audit_days),
                self.parts(settings).composing,
                privacy.replaying(nats, self._told_of_erasures, self.own_data),
            )
            worker = messaging.Worker(
                self.name, database, nats, self.consumers, jobs, told=self.told, replicas=settings.nats_replicas
            )
            await stack.enter_async_context(beating(nats, self.name, "worker", worker.checks(), worker.figures))
            yield worker

    def parts(self, settings: S) -> privacy.Parts:
        """Give what composes this service's part of a person's file."""
        return privacy.Parts(self.name, self.own_data, ring_of(settings))

    def main(self) -> NoReturn:
        """Be `python -m <name>`; the service's migrations stand beside the folder of its package."""
        tasks: dict[str, Task[S] | TaskWithArguments] = {
            "parked": ParkedCommand(),
            "recovery": RecoveryCommand(self.told),
            "verify-audit": VerifyAudit(),
        }
        if self.witness is not None:
            tasks["audit-witnessed"] = AuditWitnessed()
        serve(
            self.name,
            settings=self.settings,
            application=self.application,
            worker=self.worker,
            migrations=Path(str(files(self.name))).parents[1] / "migrations",
            tasks={**tasks, **self.tasks},
        )

    @property
    def _told_of_erasures(self) -> str:
        return next(consumer.name for consumer in self.consumers if PersonErasedV1 in consumer.handlers)


@asynccontextmanager
async def _provisioned(application: Application) -> AsyncIterator[None]:
    await audit.require_current(application.database)
    yield
