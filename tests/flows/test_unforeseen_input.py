"""Schemathesis asks every operation of identity whatever it can think of: none fails, none answers off its document.

It goes through the bounds that the document names; with XIANGQIAO_FUZZ (`make test-fuzz`) random values come after.
"""

import asyncio
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from standalone.data_directory import DataDirectory
from tests.flows.conftest import System
from tests.flows.front_end import sign_in
from tests.flows.matrix.operations import operations_of
from tests.flows.people import open_account

FUZZ = "XIANGQIAO_FUZZ" in os.environ
PHASES = "examples,coverage,fuzzing" if FUZZ else "examples,coverage"
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
IDENTITY = (
    r"^/(oauth2|\.well-known|"
    r"v1/(me|accounts|role-assignments|roles|clients|assisted-sessions|recoveries|phone-replacements|legal-holds|"
    r"account-lists|audit/identity))"
)
SPOILS_ITS_OWN_SIGN_IN = (
    "/v1/me/sessions",
    "/v1/me/erasure",
    "/v1/me/password",
    "/v1/me/totp",
    "/oauth2/revoke",
)
"""Whoever asks for these may be signed in no longer, or have another second factor: each has somebody of its own."""
PASSWORD = "一个随便问的口令-2026"
TOKEN = re.compile(r"Bearer [\w.-]+")


@pytest.fixture
def own_system(system: System) -> System:
    if system.data is None:
        pytest.skip("asks too much of a system that others use")
    return system


def within(path: str) -> str:
    """Give the expression for a path and all below it."""
    return f"^{re.escape(path)}(/|$)"


def configuration(token: str, own: Mapping[str, str]) -> str:
    """Have one token sent to every operation, and another one to those at the paths of `own` and below them."""
    lines = ["[headers]", f'Authorization = "Bearer {token}"']
    for path, other in own.items():
        lines += ["[[operations]]", f"include-path-regex = '{within(path)}'"]
        lines += [f'headers = {{ Authorization = "Bearer {other}" }}']
    return "\n".join(lines)


def ask_all(system: System, folder: Path, configured: str) -> None:
    """Ask the operations of identity whatever Schemathesis can think of, and fail with what it found."""
    settings = folder / "schemathesis.toml"
    settings.write_text(configured)
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(settings),
        "run", f"{system.url}/openapi.json", "--url", system.url, "--checks", CHECKS, "--include-path-regex", IDENTITY,
        "--phases", PHASES, "--max-examples", "50", "--generation-deterministic",
        "--continue-on-failure", "--no-color",
    ]  # fmt: skip
    ran = subprocess.run(  # noqa: S603 - our own command
        command, cwd=folder, capture_output=True, text=True, timeout=1800 if FUZZ else 300, check=False
    )
    assert ran.returncode == 0, TOKEN.sub("Bearer ...", ran.stdout)[-20_000:]


async def test_no_operation_of_identity_fails_or_answers_off_its_document(own_system: System, tmp_path: Path) -> None:
    async with own_system.person("security") as person:
        token = await person.token()
    own: dict[str, str] = {}
    async with own_system.person("administrator") as opener:
        for path in SPOILS_ITS_OWN_SIGN_IN:
            username, county = f"asking.{secrets.token_hex(4)}", own_system.seeded.county_id
            await open_account(opener, own_system.url, username=username, password=PASSWORD, organisation_id=county)
            own[path] = (await sign_in(own_system.url, username, PASSWORD)).access
    await asyncio.to_thread(ask_all, own_system, tmp_path, configuration(token, own))


async def test_every_operation_of_identity_is_asked(own_system: System) -> None:
    assert own_system.data is not None
    port = DataDirectory(own_system.data).state["ports"]["identity"]
    own, public = [
        {each.name: each.path for each in await operations_of(url)}
        for url in (f"http://127.0.0.1:{port}", own_system.url)
    ]
    asked = {name for name, path in public.items() if re.match(IDENTITY, path)}
    assert own.keys() & public.keys() - asked == set()
