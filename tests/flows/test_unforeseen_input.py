"""Schemathesis asks every operation of identity whatever it can think of: none fails, none answers off its document.

It goes through the bounds that the document names; with XIANGQIAO_FUZZ (`make test-fuzz`) random values come after.
"""

import asyncio
import os
import re
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from standalone.data_directory import DataDirectory
from tests.flows.conftest import System
from tests.flows.front_end import sign_in
from tests.flows.matrix.operations import operations_of
from tests.flows.people import Person, open_account

pytestmark = pytest.mark.xdist_group("system-matrix")  # on one worker: they share a running system

FUZZ = "XIANGQIAO_FUZZ" in os.environ
PHASES = "examples,coverage,fuzzing" if FUZZ else "examples,coverage"
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
IDENTITY = (
    r"^/(oauth2|\.well-known|"
    r"v1/(me|accounts|role-assignments|roles|clients|assisted-sessions|recoveries|phone-replacements|legal-holds|"
    r"audit/identity))"
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


def ask_all(system: System, folder: Path, token: str, *chosen: str) -> None:
    """Ask the operations that are chosen whatever Schemathesis can think of, and fail with what it found."""
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "run", f"{system.url}/openapi.json",
        "--url", system.url, "--checks", CHECKS, "--header", f"Authorization: Bearer {token}", *chosen,
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
    spoiling = "|".join(map(re.escape, SPOILS_ITS_OWN_SIGN_IN))
    chosen = ("--include-path-regex", IDENTITY, "--exclude-path-regex", f"^({spoiling})(/|$)")
    await asyncio.to_thread(ask_all, own_system, tmp_path, token, *chosen)


@pytest.mark.parametrize("path", SPOILS_ITS_OWN_SIGN_IN)
async def test_nor_does_one_that_spoils_the_sign_in_of_whoever_asks(
    own_system: System, tmp_path: Path, path: str
) -> None:
    username, county = f"asking.{secrets.token_hex(4)}", own_system.seeded.county_id
    async with Person(own_system.url, "administrator", own_system.administrator_password) as opener:
        await open_account(opener, own_system.url, username=username, password=PASSWORD, organisation_id=county)
    token = (await sign_in(own_system.url, username, PASSWORD)).access
    await asyncio.to_thread(ask_all, own_system, tmp_path, token, "--include-path-regex", f"^{re.escape(path)}(/|$)")


async def test_every_operation_of_identity_is_asked(own_system: System) -> None:
    assert own_system.data is not None
    port = DataDirectory(own_system.data).state["ports"]["identity"]
    own, public = [
        {each.name: each.path for each in await operations_of(url)}
        for url in (f"http://127.0.0.1:{port}", own_system.url)
    ]
    asked = {name for name, path in public.items() if re.match(IDENTITY, path)}
    assert own.keys() & public.keys() - asked == set()
