"""`xiangqiao parked`: events that could not be processed, listed, sent again, or given up."""

from types import ModuleType
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from standalone import services
from standalone.settings import Data, home_of

parked = typer.Typer(help="Events that could not be processed: list them, send them again.", no_args_is_help=True)
console = Console(highlight=False)

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
    pages = _events().list_parked(*home_of(data), service, after=after, limit=limit)
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
    count = _events().resend(*home_of(data), service, event=event, aggregate=aggregate)
    console.print(f"{count} events are tried again" if count else "no parked event is of that id")


@parked.command()
def discard(service: Service, event: Event, data: Data = None) -> None:
    """Give one event up, so that those behind it go on; it stays in the table as evidence."""
    count = _events().discard(*home_of(data), service, event)
    console.print("given up" if count else "no parked event is of that id")


def _events() -> ModuleType:
    from standalone import events  # noqa: PLC0415 - a second of imports that no other command needs

    return events
