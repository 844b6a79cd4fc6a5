"""The `xiangqiao` command: runs the whole system on this machine and operates it."""

import enum
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from standalone import demonstration, inspection, running, services
from standalone.auditing import auditing
from standalone.data_directory import DataDirectory
from standalone.parked import parked
from standalone.refusals import CannotRun
from standalone.servers import Servers
from standalone.settings import Data, Settings, home_of

application = typer.Typer(
    help="Xiangqiao (乡桥), the digital backbone of rural party building for a province: run and operate it here.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
application.add_typer(parked, name="parked")
application.add_typer(auditing, name="audit")
console = Console(highlight=False)
ADMINISTRATION = ("opens accounts, approves roles", "grants and proposes roles", "reads the audits")

Port = Annotated[
    int | None, typer.Option(help="The gateway's port on 127.0.0.1.", envvar="XIANGQIAO_GATEWAY_PORT", min=1, max=65535)
]


class ReadModel(enum.Enum):
    """What `rebuild` fills anew."""

    CHANGES = "changes"
    HOME = "home"
    OVERVIEW = "overview"


class Rollups(enum.Enum):
    """Who keeps rollups that `mend-rollups` sets right."""

    GATEWAY = "gateway"
    LEARNING = "learning"


def _home_in_use(data: Path | None) -> tuple[DataDirectory, Settings]:
    """Give the same for a system that runs; raises `CannotRun` when it does not."""
    home, settings = home_of(data)
    if not home.is_in_use():
        raise CannotRun("the system does not run; start it first with: xiangqiao run")
    return home, settings


@application.callback(invoke_without_command=True)
def _options(
    shown: Annotated[bool, typer.Option("--version", help="Print the version and end.", is_eager=True)] = False,
) -> None:
    if shown:
        console.print(f"xiangqiao {version('xiangqiao-standalone')}")
        raise typer.Exit


@application.command()
def run(
    data: Data = None,
    port: Port = None,
    seed: Annotated[bool, typer.Option(help="Load a demonstration county at the first start.")] = True,
    demo_phone: Annotated[
        bool | None,
        typer.Option(
            help="Show what is sent to phones on a page of this machine; as a rule with a demonstration only."
        ),
    ] = None,
) -> None:
    """Run the whole system until Ctrl-C: PostgreSQL, NATS and all services."""
    home, settings = home_of(data, port)

    def once_ready(servers: Servers) -> None:
        if seed and not demonstration.is_loaded(home):
            _load_demonstration(home, servers)
        _welcome(home, servers)

    demonstrated = seed or demonstration.is_loaded(home)
    with_demo_phone = demonstrated if demo_phone is None else demo_phone
    running.run(home, settings, say=_say, once_ready=once_ready, with_demo_phone=with_demo_phone)


@application.command()
def status(data: Data = None) -> None:
    """Tell what runs, where, and whether it is ready. Ends with 1 when something is not."""
    home, _ = home_of(data)
    rows = inspection.inspect(home)
    console.print(inspection.table(rows))
    if not rows or not all(row.ready for row in rows):
        raise typer.Exit(1)


@application.command("seed")
def seed_(
    data: Data = None,
    scope: Annotated[
        str | None,
        typer.Option(help="The six digits of a county, or 'province' for all of it; one county if not given."),
    ] = None,
) -> None:
    """Load the demonstration into the running system; what is there already stays as it is."""
    home, _ = _home_in_use(data)
    door = home.state["ports"][services.DOOR]
    demonstration.load(home, services.public_url(door), console, scope=scope)


@application.command("demo-code")
def demo_code(
    username: Annotated[
        str, typer.Argument(help="Somebody of the demonstration who has an authenticator app, or security.")
    ],
    data: Data = None,
) -> None:
    """Print the code that somebody's authenticator app shows now; each is good once, the next comes every 30 s."""
    home, _ = home_of(data)
    _say(demonstration.code(home, username))


@application.command()
def token(
    username: Annotated[
        str, typer.Argument(help="Somebody of the demonstration, or administrator, security, auditor.")
    ],
    data: Data = None,
) -> None:
    """Sign somebody in, by code and PKCE as every front end does, and print the access token, kept for 9 minutes."""
    home, _ = _home_in_use(data)
    door = home.state["ports"][services.DOOR]
    typer.echo(demonstration.access_token(home, services.public_url(door), username))


@application.command()
def migrate(data: Data = None) -> None:
    """Bring every service's database to the newest revision."""
    home, settings = home_of(data)
    with running.open_servers(home, settings) as (_, supervisor):
        supervisor.migrate()
    _say(f"{len(services.NAMES)} databases are of the newest revision")


@application.command()
def rebuild(
    what: Annotated[ReadModel, typer.Argument(help="The read model of the gateway.")],
    data: Data = None,
) -> None:
    """Fill a read model anew from the events, beside the live one, and put it in place; the system goes on."""
    home, settings = _home_in_use(data)
    with running.open_servers(home, settings) as (_, supervisor):
        _say(supervisor.perform(services.DOOR, f"rebuild-{what.value}"))


@application.command("mend-rollups")
def mend_rollups(
    service: Annotated[Rollups, typer.Argument(help="The service whose nightly recount told a drift.")],
    data: Data = None,
) -> None:
    """Count a service's kept figures anew and set those right that were kept wrongly; the system goes on."""
    home, settings = _home_in_use(data)
    with running.open_servers(home, settings) as (_, supervisor):
        _say(supervisor.perform(service.value, "mend-rollups"))


def _load_demonstration(home: DataDirectory, servers: Servers) -> None:
    """Load it; the system is of use without it, so what keeps it from loading is said and no more."""
    try:
        demonstration.load(home, servers.addresses.public_url, console)
    except CannotRun as refusal:
        _say(f"the demonstration was not loaded: {refusal}")
        _say("the system runs without it; to try again, in another terminal: xiangqiao seed")


def _welcome(home: DataDirectory, servers: Servers) -> None:
    """Tell where to go and who to sign in as."""
    shown = Table(box=None, show_header=False, pad_edge=False)
    shown.add_row("the portal, for everybody", _portal(servers))
    shown.add_row("interfaces, to read and to try", f"{servers.addresses.public_url}/docs")
    shown.add_row("logs", _short(home.logs))
    for number, (username, does) in enumerate(zip(running.ADMINISTRATORS, ADMINISTRATION, strict=True)):
        shown.add_row("" if number else "sign in as", f"{username}  {does}")
    if demonstration.is_loaded(home):
        shown.add_row("", f"all three with the password {running.administrator_password(home)} if unchanged")
    else:
        first = running.administrator_password(home, first=True)
        shown.add_row("", f"all three with the first password {first}, which each replaces at the first sign-in")
    people = demonstration.people(home)
    for number, (username, title, phone) in enumerate(people):
        shown.add_row("" if number else "or as", f"{username}  {title}  {phone}".rstrip())
    if people:
        shown.add_row("", f"all with the password {running.demonstration_password(home)}")
        everybody = (*running.ADMINISTRATORS, *(username for username, *_ in people))
        by_two = [username for username in everybody if demonstration.has_authenticator(home, username)]
        if by_two:
            shown.add_row("", f"a code as well for {', '.join(by_two)}: xiangqiao demo-code <username>")
    if (phone_port := home.state.get("demo_phone")) is not None:
        shown.add_row("phone of all of them", f"http://127.0.0.1:{phone_port} shows the codes that sign in")
    console.print(Panel(shown, title="乡桥 Xiangqiao runs. Ctrl-C stops it.", expand=False))


def _portal(servers: Servers) -> str:
    """Return where the web front end is, or why there is none."""
    folder = services.portal_folder()
    if folder is not None and not (folder / "missing").exists() and (folder / "builds.json").exists():
        return servers.addresses.public_url
    why = (folder / "missing").read_text().strip() if folder and (folder / "missing").exists() else "it was not built"
    return f"missing: {why}; make environment builds it"


def _short(path: Path) -> str:
    """Return the path as seen from here when it lies below."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _say(line: str) -> None:
    console.print(line, markup=False)


def main() -> None:
    """Be the command; what a person can put right ends as one line."""
    os.umask(0o077)
    try:
        application()
    except CannotRun as refusal:
        Console(stderr=True, highlight=False).print(f"xiangqiao: {refusal}", markup=False, soft_wrap=True)
        sys.exit(1)
