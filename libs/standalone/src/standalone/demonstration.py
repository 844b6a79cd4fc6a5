"""Loads the demonstration into a running system, and remembers who can sign in to it."""

import asyncio
import re
import time
from functools import partial
from typing import NamedTuple

import httpx
from rich.console import Console

from standalone import running
from standalone.data_directory import DataDirectory
from standalone.demo_phone import number_of
from standalone.refusals import CannotRun

CODE_SECONDS = 30


class Known(NamedTuple):
    """Somebody who can sign in: with which name, who that is, and the number of their demonstration phone."""

    username: str
    title: str
    phone: str = ""


def load(home: DataDirectory, gateway_url: str, console: Console, *, scope: str | None = None) -> None:
    """Load a county, or all of the province, through the public API; a second time adds nothing. Raises CannotRun."""
    from standalone import seed  # noqa: PLC0415 - half a second of imports that only the first start needs

    with seed.shown(console) as watcher:
        result = asyncio.run(
            seed.seed(
                gateway_url,
                administrators=seed.Passwords(
                    running.administrator_password(home), running.administrator_password(home, first=True)
                ),
                demonstration=seed.Passwords(
                    running.demonstration_password(home), running.demonstration_password(home, first=True)
                ),
                authenticators=seed.Authenticators(home),
                watcher=watcher,
                scope=scope,
                code_to=partial(_code_to, home) if home.state.get("demo_phone") else None,
            )
        )
    numbered = enumerate(result.people, start=1)
    people = [
        [person.username, person.title_en, "" if has_authenticator(home, person.username) else number_of(position)]
        for position, person in numbered
    ]
    home.remember(demonstration={"county": result.county_name, "people": people})
    console.print(
        f"{result.county_name}: {result.organisations.added} organisations and {result.members.added} members loaded "
        f"({result.seconds:.0f} s)",
        markup=False,
    )


async def _code_to(home: DataDirectory, number: str) -> str:
    """Wait for a code on the page of the demo phone, and give the newest to this number. Raises CannotRun."""
    shown = re.compile(rf"<td>\+86{number}</td><td>[^<]*?(?<![0-9])([0-9]{{6}})(?![0-9])")
    async with httpx.AsyncClient(trust_env=False) as browser:
        for _ in range(CODE_SECONDS * 5):
            page = await browser.get(f"http://127.0.0.1:{home.state['demo_phone']}")
            if (found := shown.search(page.text)) is not None:
                return found[1]
            await asyncio.sleep(0.2)
    raise CannotRun(f"no code came to {number} within {CODE_SECONDS} s")


def access_token(home: DataDirectory, gateway_url: str, username: str) -> str:
    """Give an access token of somebody of the demonstration, or an administrator. Raises CannotRun.

    It is kept for the next call until a minute before it ends, and asked after each time: it may be revoked, or be of
    another system that had this directory or this port. Where it holds no more, its owner is signed in again.
    """
    kept = home.token(username, now=time.time())
    if kept is not None and _holds(gateway_url, kept):
        return kept
    from standalone.seed.authenticators import Authenticators  # noqa: PLC0415 - as above
    from standalone.seed.sign_in import SignedIn  # noqa: PLC0415 - as above

    if username in running.ADMINISTRATORS:
        password = running.administrator_password(home, first=not is_loaded(home))
    else:
        password = running.demonstration_password(home)
    app = Authenticators(home).of(username)
    person = SignedIn(gateway_url, username, password, second_factor=app.code if app else None)
    headers = asyncio.run(person.headers())
    token = headers["Authorization"].removeprefix("Bearer ")
    home.keep_token(username, token, good_until=time.time() + person.good_for_seconds)
    return token


def _holds(gateway_url: str, token: str) -> bool:
    """Ask whether the system takes this token."""
    try:
        answer = httpx.get(f"{gateway_url}/v1/me", headers={"Authorization": f"Bearer {token}"}, trust_env=False)
    except httpx.TransportError:
        return False
    return answer.status_code == httpx.codes.OK


def code(home: DataDirectory, username: str) -> str:
    """Give the code that the authenticator app of somebody of the demonstration shows now. Raises CannotRun."""
    from standalone.seed.authenticators import Authenticators  # noqa: PLC0415 - as above

    app = Authenticators(home).of(username)
    if app is None:
        raise CannotRun(f"{username} is nobody of the demonstration who has an authenticator app")
    return app.code()


def has_authenticator(home: DataDirectory, username: str) -> bool:
    """Tell whether somebody of the demonstration signs in with a code as well."""
    return home.known_secret(f"authenticator.{username}") is not None


def is_loaded(home: DataDirectory) -> bool:
    """Tell whether a demonstration was loaded into this data directory."""
    return "demonstration" in home.state


def people(home: DataDirectory) -> list[Known]:
    """Return who can sign in with the demonstration's password, nobody when it was not loaded."""
    return [Known(*each) for each in home.state.get("demonstration", {}).get("people", [])]
