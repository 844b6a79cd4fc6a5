"""Clients that others wrote sign in, refresh, act by themselves, let devices in and check tokens, all unmodified."""

from pathlib import Path
from typing import Any

import pytest

from tests.outside.node import run

pytestmark = pytest.mark.xdist_group("conformance")  # on one worker: they share one running system


@pytest.mark.parametrize(
    ("program", "also"), [("openid-client", set[str]()), ("oauth4webapi", {"a refresh token bound by DPoP"})]
)
async def test_a_client_of_others_does_everything(
    packages: Path, told: dict[str, Any], program: str, also: set[str]
) -> None:
    status, output = await run(["node", f"{program}.mjs"], packages, told=told)
    assert status == 0, output
    done = {line.removeprefix("ok: ") for line in output.splitlines() if line.startswith("ok: ")}
    assert done == {
        "discovery",
        "code with PKCE, the ID token and its signature",
        "userinfo",
        "refresh",
        "introspection",
        "revocation",
        "client credentials by client_secret_basic",
        "client credentials by client_secret_post",
        "client credentials by private_key_jwt",
        "device",
        "access tokens as RFC 9068 says",
        "a refusal comes back",
        *also,
    }, output
