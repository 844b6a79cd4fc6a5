"""Asks the services' databases about events that were put aside."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar
from uuid import UUID

import messaging
from database import Database
from messaging import Parked
from standalone import running, services
from standalone.data_directory import DataDirectory
from standalone.refusals import CannotRun
from standalone.settings import Settings

T = TypeVar("T")


def list_parked(home: DataDirectory, settings: Settings) -> list[Parked]:
    """Return what every service has put aside, service by service, in the order it happened."""
    return [row for rows in _ask(home, settings, services.NAMES, messaging.list_parked) for row in rows]


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

    async def ask(url: str) -> T:
        database = Database(url, application_name="xiangqiao")
        try:
            return await question(database)
        finally:
            await database.close()

    with running.open_servers(home, settings) as (servers, _):
        return [asyncio.run(ask(servers.addresses.database_urls[name])) for name in names]
