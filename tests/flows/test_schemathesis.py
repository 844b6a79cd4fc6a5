"""Schemathesis asks every operation of identity whatever it can think of: none fails, none answers off its document."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.flows.conftest import System

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
IDENTITY = (
    r"^/(oauth2|\.well-known|"
    r"v1/(me|accounts|role-assignments|roles|clients|assisted-sessions|recoveries|legal-holds|audit/identity))"
)
SPOILS_ITS_OWN_SIGN_IN = r"^/(v1/me/(sessions|erasure|password|totp$)|oauth2/(end-session|revoke))"
TOKEN = re.compile(r"Bearer [\w.-]+")


async def test_no_operation_of_identity_fails_or_answers_off_its_document(system: System, tmp_path: Path) -> None:
    if system.data is None:
        pytest.skip("asks too much of a system that others use")
    async with system.person("security") as person:
        token = await person.token()
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "run", f"{system.url}/openapi.json",
        "--url", system.url, "--checks", CHECKS, "--header", f"Authorization: Bearer {token}",
        "--include-path-regex", IDENTITY, "--exclude-path-regex", SPOILS_ITS_OWN_SIGN_IN,
        "--phases", "examples,coverage,fuzzing", "--max-examples", "10", "--generation-deterministic",
        "--continue-on-failure", "--no-color",
    ]  # fmt: skip
    ran = subprocess.run(  # noqa: ASYNC221, S603 - our own command, and nothing else is to go on meanwhile
        command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert ran.returncode == 0, TOKEN.sub("Bearer ...", ran.stdout)[-20_000:]
