"""The command line of a service: `python -m <service> api|worker|all|migrate`."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import Any, Final, NoReturn, Protocol, TypeVar, runtime_checkable

import asyncpg
import sqlalchemy.exc
import uvloop
from sqlalchemy import make_url

import telemetry
from database import Database
from database import migrations as alembic
from webapi.application import Application, open_database
from webapi.cannot_start import CannotStart
from webapi.processes import (
    SIGNALS,
    Port,
    Process,
    Worker,
    application_process,
    freeze_startup_objects,
    listen,
    worker_process,
)
from webapi.settings import ServiceSettings, exit_with, read_settings

_log = logging.getLogger(__name__)

FAILED: Final = 1
INTERRUPTED: Final = 130
_RETRY_SECONDS: Final = 0.5
_UNREACHABLE: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, sqlalchemy.exc.DBAPIError)
_COMMANDS: Final = {
    "api": "serve HTTP",
    "worker": "relay, consume and run periodic jobs; serves health and metrics",
    "all": "both in one process",
    "migrate": "bring the database to this version's data and end",
}

S = TypeVar("S", bound=ServiceSettings)
T = TypeVar("T")

Task = Callable[[S, Database], Awaitable[str]]
"""One thing that an operator has done in the service's database; gives the line that tells what came of it.

What keeps it from being done it raises as `CannotStart("why; what to do.")`.
"""


@runtime_checkable
class TaskWithArguments(Protocol):
    """A task that is told more on its command line; the first line of its class's docstring is its help."""

    def declare(self, parser: argparse.ArgumentParser) -> None:
        """Add to `parser`, which is the task's own, what may follow its name."""

    async def __call__(self, settings: Any, database: Database, arguments: argparse.Namespace, /) -> str:
        """Do it in the service's database, by the service's settings; give the lines that tell what came of it."""


OpenWorker = Callable[[S, Database], AbstractAsyncContextManager[Worker]]
"""Opens a service's worker on the process's database: `async with open_worker(settings, database) as worker`."""


async def _patiently(settings: ServiceSettings, step: Callable[[], Awaitable[T]]) -> T:
    """Do `step` again until PostgreSQL answers and is migrated, for `startup_wait_seconds`; raises `CannotStart`."""
    deadline = monotonic() + settings.startup_wait_seconds
    while True:
        try:
            async with asyncio.timeout(max(1.0, deadline - monotonic())):
                return await step()
        except alembic.WrongDataVersion as error:
            if not isinstance(error, alembic.Behind) or monotonic() >= deadline:
                raise CannotStart(f"wrong data version: {error}.") from error
            _log.info("waiting_for_migration")
        except _UNREACHABLE as error:
            if monotonic() >= deadline:
                raise CannotStart(_unreachable(settings, error)) from error
            _log.info("waiting_for_database", exc_info=error)
        await asyncio.sleep(_RETRY_SECONDS)


def _reason(error: BaseException) -> str:
    return type(getattr(error, "orig", None) or error).__name__


def _unreachable(settings: ServiceSettings, error: BaseException) -> str:
    url = make_url(settings.database_url)
    return (
        f"cannot reach the database {url.database} at {url.host}:{url.port or 5432} within "
        f"{settings.startup_wait_seconds:g} s ({_reason(error)}); start it or correct XIANGQIAO_DATABASE_URL."
    )


async def _run(settings: ServiceSettings, folder: Path, compose: Callable[[], Process], *, public: bool) -> None:
    """Serve; a process that is not `public` has nothing but health and metrics, and needs one port for them."""
    apart = settings.operations_port is not None
    ports: tuple[Port, ...] = ("port", "operations_port") if apart else ("port",)
    if apart and not public:
        ports = ("operations_port",)
    with ExitStack() as opened:
        listeners = [opened.enter_context(listen(settings, port)) for port in ports]
        waiting = asyncio.create_task(_patiently(settings, lambda: alembic.check(settings.database_url, folder)))
        for number in SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, waiting.cancel)
        await asyncio.wait([waiting])
        if not waiting.cancelled():
            waiting.result()
            process = compose()
            freeze_startup_objects()
            await process.serve(*listeners)


async def _migrate(settings: ServiceSettings, folder: Path) -> None:
    """Migrate, however long it takes once PostgreSQL answers; raises `CannotStart`."""
    await _patiently(settings, lambda: alembic.read(settings.database_url))
    try:
        applied = await alembic.upgrade(settings.database_url, folder)
    except alembic.WrongDataVersion as error:
        raise CannotStart(f"wrong data version: {error}.") from error
    except alembic.CannotMigrate as error:
        raise CannotStart(f"{error}.") from error
    except _UNREACHABLE as error:
        _log.exception("migration_failed")
        raise CannotStart(f"the migration failed ({_reason(error)}); the log tells where.") from error
    _log.info("migrated", extra={"revision": applied})


async def _perform(service: str, settings: S, folder: Path, name: str, task: "Task[S]") -> None:
    await _patiently(settings, lambda: alembic.check(settings.database_url, folder))
    database = open_database(service, settings)
    try:
        sys.stdout.write(await task(settings, database) + "\n")
    except CannotStart:
        raise
    except Exception as error:
        _log.exception("task_failed", extra={"job": name})
        raise CannotStart(f"{name} failed ({type(error).__name__}); the log tells where.") from error
    finally:
        await database.close()


def _bound(task: TaskWithArguments, arguments: argparse.Namespace) -> "Task[S]":
    async def perform(settings: S, database: Database) -> str:
        return await task(settings, database, arguments)

    return perform


def _parse(
    service: str, tasks: "Mapping[str, Task[S] | TaskWithArguments]", arguments: Sequence[str] | None
) -> "tuple[str, Task[S] | None]":
    """Read the command line: the command, and what it does if it is a task."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {service}", description=f"Run a process of {service}. Settings are read from XIANGQIAO_*."
    )
    chosen = parser.add_subparsers(dest="command", required=True, metavar="|".join([*_COMMANDS, *tasks]))
    for name, meaning in _COMMANDS.items():
        chosen.add_parser(name, help=meaning, description=meaning)
    for name, task in tasks.items():
        meaning = (task.__doc__ or name).splitlines()[0]
        own = chosen.add_parser(name, help=meaning, description=meaning)
        if isinstance(task, TaskWithArguments):
            task.declare(own)
    found = parser.parse_args(arguments)
    task_or_none = tasks.get(found.command)
    return found.command, _bound(task_or_none, found) if isinstance(task_or_none, TaskWithArguments) else task_or_none


def serve(
    service: str,
    *,
    settings: type[S],
    application: Callable[[S], Application],
    worker: OpenWorker[S],
    migrations: Path,
    tasks: "Mapping[str, Task[S] | TaskWithArguments] | None" = None,
    arguments: Sequence[str] | None = None,
) -> NoReturn:
    """Be `python -m <service>`: run what the command line asks for and end the process.

    `settings` is read from the environment; `application` composes the HTTP application; `worker` opens the background
    half on the process's database; `migrations` is the service's folder of that name; `tasks` are further commands of
    this service, by name, told by the first line of their docstrings. Exit codes: 0 after SIGTERM or
    SIGINT, 1 with one line on stderr when the process cannot work, 2 for a wrong setting or argument.
    """
    command, task = _parse(service, tasks or {}, arguments)
    values = read_settings(settings)
    telemetry.configure(
        service,
        log_level=values.log_level,
        otlp_endpoint=values.otlp_endpoint,
        trace_sample_ratio=values.trace_sample_ratio,
    )
    revision = alembic.head_of(migrations)
    telemetry.BUILD.labels(version("xiangqiao-webapi"), revision).set(1)
    Database.runs_as = f"{command}/{revision}"

    def compose() -> Process:
        if command == "worker":
            database = open_database(service, values)
            return worker_process(database, lambda: worker(values, database))
        app = application(values)
        opening = None if command == "api" else lambda: worker(values, app.database)
        return application_process(app, opening, leave_seconds=values.leave_seconds)

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            if command == "migrate":
                runner.run(_migrate(values, migrations))
            elif task is not None:
                runner.run(_perform(service, values, migrations, command, task))
            else:
                runner.run(_run(values, migrations, compose, public=command != "worker"))
    except CannotStart as reason:
        exit_with(f"{service}: {reason}", FAILED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    finally:
        telemetry.shutdown()
    sys.exit(0)
