"""`xiangqiao parked`: events that could not be processed, listed, sent again, or given up."""

from pathlib import Path
from types import ModuleType
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from standalone import services
from standalone.data_directory import DataDirectory
from standalone.settings import Settings, read

parked = typer.Typer(help="Events that could not be processed: list them, send them again.", no_args_is_help=True)
console = Console(highlight=False)

Data = Annotated[Path | None, typer.Option(help="The directory that holds all data.", envvar="XIANGQIAO_DATA")]
Service = Annotated[str, typer.Option(help=f"One of {', '.join(services.NAMES)}.")]
Event = Annotated[UUID, typer.Option(help="The id of a parked event.")]


@parked.command("list")
def list_(
    service: Annotated[str | None, typer.Option(help="Of this service alone.")] = None,
    after: Annotated[int, typer.Option(help="Begin behind this id of the service's list.", min=0)] = 0,
    limit: Annotated[int, typer.Option(help="At most so many of a service.", min=1, max=200)] = 50,
    data: Data = None,
) -> None:
    """List the events that are parked, service by service."""
    pages = _events().list_parked(*_home(data), service, after=after, limit=limit)
    shown = Table(box=None, pad_edge=False)
    for heading in _events().HEADINGS:
        shown.add_column(heading, overflow="fold")
    for page in pages:
        for row in page.rows:
            shown.add_row(*row)
    console.print(shown if shown.row_count else "nothing is parked")
    for page in pages:
        if page.more_after is not None:
            console.print(f"more: xiangqiao parked list --service {page.service} --after {page.more_after}")


@parked.command()
def resend(
    service: Service,
    event: Event | None = None,
    aggregate: Annotated[UUID | None, typer.Option(help="The aggregate whose events wait.")] = None,
    data: Data = None,
) -> None:
    """Have a parked event tried again, with those that wait behind it, within seconds."""
    count = _events().resend(*_home(data), service, event=event, aggregate=aggregate)
    console.print(f"{count} events are tried again" if count else "no parked event is of that id")


@parked.command()
def discard(service: Service, event: Event, data: Data = None) -> None:
    """Give one event up, so that those behind it go on; it stays in the table as evidence."""
    count = _events().discard(*_home(data), service, event)
    console.print("given up" if count else "no parked event is of that id")


def _home(data: Path | None) -> tuple[DataDirectory, Settings]:
    settings = read(data=data)
    return DataDirectory(settings.data), settings


def _events() -> ModuleType:
    from standalone import events  # noqa: PLC0415 - a second of imports that no other command needs

    return events
