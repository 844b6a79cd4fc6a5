"""Loads the demonstration into a running system, and remembers who can sign in to it."""

import asyncio
from typing import NamedTuple

from rich.console import Console

from standalone import running
from standalone.data_directory import DataDirectory


class Known(NamedTuple):
    """Somebody who can sign in: with which name, and who that is."""

    username: str
    title: str


def load(home: DataDirectory, gateway_url: str, console: Console, *, scope: str | None = None) -> None:
    """Load a county, or all of the province, through the public API; a second time adds nothing. Raises CannotRun."""
    from standalone import seed  # noqa: PLC0415 - half a second of imports that only the first start needs

    with seed.shown(console) as watcher:
        result = asyncio.run(
            seed.seed(
                gateway_url,
                administrator_password=running.administrator_password(home),
                demo_password=running.demonstration_password(home),
                watcher=watcher,
                scope=scope,
            )
        )
    people = [[person.username, person.title_en] for person in result.people]
    home.remember(demonstration={"county": result.county_name, "people": people})
    console.print(
        f"{result.county_name}: {result.organisations.added} organisations and {result.members.added} members loaded "
        f"({result.seconds:.0f} s)",
        markup=False,
    )


def access_token(home: DataDirectory, gateway_url: str, username: str) -> str:
    """Sign somebody of the demonstration, or the administrator, in and give the access token. Raises CannotRun."""
    from standalone.seed.sign_in import SignedIn  # noqa: PLC0415 - as above

    is_administrator = username == running.ADMINISTRATOR
    password = running.administrator_password(home) if is_administrator else running.demonstration_password(home)
    headers = asyncio.run(SignedIn(gateway_url, username, password).headers())
    return headers["Authorization"].removeprefix("Bearer ")


def is_loaded(home: DataDirectory) -> bool:
    """Tell whether a demonstration was loaded into this data directory."""
    return "demonstration" in home.state


def people(home: DataDirectory) -> list[Known]:
    """Return who can sign in with the demonstration's password, nobody when it was not loaded."""
    return [Known(*each) for each in home.state.get("demonstration", {}).get("people", [])]
