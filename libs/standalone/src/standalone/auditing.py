"""`xiangqiao audit`: whether the audit of every service is as it was written."""

from datetime import datetime
from types import ModuleType
from typing import Annotated

import typer
from rich.console import Console

from standalone import services
from standalone.settings import Data, home_of

auditing = typer.Typer(help="The audit: verify that nobody changed it.", no_args_is_help=True)
console = Console(highlight=False, soft_wrap=True)


@auditing.callback()
def _group() -> None:
    """Keep `verify` a word of its own."""


@auditing.command()
def verify(
    service: Annotated[str | None, typer.Option(help=f"One of {', '.join(services.WITNESSES)}; all if none.")] = None,
    day: Annotated[datetime | None, typer.Option(help="This day alone.", formats=["%Y-%m-%d"])] = None,
    data: Data = None,
) -> None:
    """Name the first entry of each day that was altered, removed, inserted or moved. Ends with 1 when there is one."""
    reports = _verification().verify(*home_of(data), service, day=None if day is None else day.date())
    for report in reports:
        for finding in report.findings:
            console.print(str(finding), markup=False)
        if not report.findings:
            console.print(_verification().text_of(report), markup=False)
    if any(report.findings for report in reports):
        raise typer.Exit(1)


def _verification() -> ModuleType:
    from standalone import verification  # noqa: PLC0415 - a second of imports that no other command needs

    return verification
