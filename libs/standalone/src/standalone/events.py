"""Asks the services' databases about events that were put aside."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, TypeVar
from uuid import UUID

import asyncpg

import messaging
from database import Database
from messaging.parked_command import HEADINGS, described
from standalone import running, services
from standalone.data_directory import DataDirectory
from standalone.refusals import CannotRun
from standalone.settings import Settings

__all__ = ["HEADINGS", "Page", "discard", "list_parked", "resend"]

T = TypeVar("T")


class Page(NamedTuple):
    """What a service has put aside, in words under `HEADINGS`; `more_after` is where its list goes on, if it does."""

    service: str
    rows: list[tuple[str, ...]]
    more_after: int | None


def list_parked(home: DataDirectory, settings: Settings, service: str | None, *, after: int, limit: int) -> list[Page]:
    """Return what each service, or the one that is named, has put aside behind an id of its list. Raises CannotRun."""
    if service is None and after:
        raise CannotRun("name the --service whose list goes on behind --after")
    names = services.NAMES if service is None else (service,)

    async def page(database: Database) -> tuple[list[tuple[str, ...]], int | None]:
        rows = await messaging.list_parked(database, after=after, limit=limit)
        last = rows[-1].id if rows else 0
        is_more = rows and await messaging.list_parked(database, after=last, limit=1)
        return [described(row) for row in rows], last if is_more else None

    return [Page(name, *answer) for name, answer in zip(names, _ask(home, settings, names, page), strict=True)]


def resend(home: DataDirectory, settings: Settings, service: str, *, event: UUID | None, aggregate: UUID | None) -> int:
    """Have an event, or an aggregate's events, tried again; return how many. Name one of the two. Raises CannotRun."""
    if (event is None) == (aggregate is None):
        raise CannotRun("name either --event or --aggregate")
    answers = _ask(
        home, settings, [service], lambda each: messaging.resend(each, event_id=event, aggregate_id=aggregate)
    )
    return answers[0]


def discard(home: DataDirectory, settings: Settings, service: str, event: UUID) -> int:
    """Give one event up; return how many rows that concerned. Raises CannotRun."""
    return _ask(home, settings, [service], lambda each: messaging.discard(each, event))[0]


def _ask(
    home: DataDirectory, settings: Settings, names: Sequence[str], question: Callable[[Database], Awaitable[T]]
) -> list[T]:
    """Put a question to the database of each of these services; return their answers."""
    unknown = set(names).difference(services.NAMES)
    if unknown:
        raise CannotRun(f"{unknown.pop()} is no service; there are {', '.join(services.NAMES)}")
    home.require_data()

    async def ask(url: str) -> T:
        database = Database(url, application_name="xiangqiao")
        try:
            return await question(database)
        finally:
            await database.close()

    with running.open_servers(home, settings) as (servers, _):
        answers = []
        for name in names:
            try:
                answers.append(asyncio.run(ask(servers.addresses.database_urls[name])))
            except asyncpg.UndefinedTableError as error:
                raise CannotRun(f"the database of {name} was not migrated; do it with: xiangqiao migrate") from error
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
                reason = type(error).__name__
                raise CannotRun(f"the database of {name} did not answer ({reason}); try: xiangqiao status") from error
        return answers
