"""The page for front ends does what it says: each command in it is run, in order, and so is the example client."""

import asyncio
import queue
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest_asyncio

from identity.clients.rules import SCOPES, SETS_OF_GRANTS
from standalone.seed import ADMINISTRATOR
from tests.flows.conftest import DEMO_PASSWORD, System
from tests.outside.example_client import Api
from tests.outside.letting_in import let_in, submit

PAGE = (Path(__file__).parents[2] / "docs" / "for-front-ends.md").read_text("utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
WHO = "member.demo"


class Shell:
    """Runs commands one after the other, each with the variables and functions that were set before."""

    def __init__(self, **variables: str) -> None:
        self.variables = variables
        self._functions = ""

    async def run(self, block: str) -> str:
        """Run one block of the page, and give what it writes."""
        names = set(re.findall(r"\b([A-Z_]+)=", block)) | self.variables.keys()
        if "() {" in block:
            self._functions += block
        told = "".join(f"{name}='{value}'\n" for name, value in self.variables.items())
        saying = "".join(f'printf "%s\\n" "{name}=${{{name}-}}" >&3\n' for name in sorted(names))
        script = f"set -euo pipefail\n{self._functions}{told}exec 3>&2 2>&1\n{block}\n{saying}"
        process = await asyncio.create_subprocess_exec(
            "bash", "-c", script, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        output, variables = await process.communicate()
        assert process.returncode == 0, f"{block}\n{output.decode()}"
        self.variables = dict(line.split("=", 1) for line in variables.decode().splitlines())
        return output.decode()


@pytest_asyncio.fixture(scope="module")
async def shell(system: System) -> Shell:
    """A shell of whoever registers clients, at the beginning of the page."""
    tokens = {}
    for name, username in (("ADMINISTRATOR", ADMINISTRATOR), ("REVIEWER", "security")):
        async with system.person(username) as person:
            tokens[name] = await person.token()
    return Shell(API=system.url, CLIENT=f"bulletin-{secrets.token_hex(4)}", **tokens)


async def code_of(page: str) -> str:
    """Be the person's browser: sign in, agree, and read the code where it would be sent."""
    async with httpx.AsyncClient(trust_env=False, timeout=20) as browser:
        shown = await browser.get(page, follow_redirects=True)
        sent = await submit(browser, shown, username=WHO, password=DEMO_PASSWORD)
        if "/callback" not in urlsplit(sent.headers["location"]).path:
            shown = await browser.get(urlsplit(page)._replace(path="", query="").geturl() + sent.headers["location"])
            sent = await submit(browser, shown, decision="approve")
    return parse_qs(urlsplit(sent.headers["location"]).query)["code"][0]


async def test_every_command_of_the_page_works_in_its_order(system: System, shell: Shell) -> None:
    commands = iter(BLOCKS)

    async def until(part: str) -> str:
        output = ""
        for block in commands:
            output = await shell.run(block)
            if part in block:
                return output
        raise AssertionError(part)

    await until("/approval")
    await until("device_authorization")
    await let_in(system.url, WHO, DEMO_PASSWORD, shell.variables["USER_CODE"])
    assert "access_token" in await until("grant-type:device_code")
    await until("/oauth2/authorize")
    shell.variables["CODE"] = await code_of(shell.variables["PAGE"])
    assert "next_cursor" in await until("/v1/home")
    assert "路灯坏了" in await until("/v1/cases/$CASE")
    assert 'etag: "1"' in (await until("--head")).lower()
    assert "token_invalid" in await until("/problems/")
    assert '"result":"applied"' in await until("/v1/sync/push")
    assert '"result":"duplicate"' in await shell.run(BLOCKS[-1])
    assert next(commands, None) is None


async def test_the_example_client_lets_a_person_in_and_shows_their_home(system: System, shell: Shell) -> None:
    api, shown = Api(system.url, shell.variables["CLIENT"]), queue.SimpleQueue[tuple[str, str]]()
    api.http = httpx.Client(base_url=system.url, trust_env=False, timeout=30)
    waiting = asyncio.create_task(
        asyncio.to_thread(api.sign_in, "openid identity.read gateway.read", lambda *told: shown.put(told))
    )
    while shown.empty() and not waiting.done():
        await asyncio.sleep(0.1)
    where, code = shown.get_nowait()
    assert where == f"{system.url}/oauth2/device"
    await let_in(system.url, WHO, DEMO_PASSWORD, code)
    await waiting
    api.tokens["access_token"] += "x"  # as if it had ended: it is refreshed
    everything = await asyncio.to_thread(lambda: list(api.pages("/v1/home", limit=1)))
    assert len(everything) == len({item["key"] for item in everything}) >= 1
    assert api.ask("GET", "/v1/me").json()["username"] == WHO
    api.http.close()


def rows(begins: str) -> Iterator[list[str]]:
    """Give the words in code marks of each row of the table whose head begins so, by cell."""
    table = PAGE[PAGE.index(begins) :].partition("\n\n")[0]
    for row in table.splitlines()[2:]:
        yield row.strip("|").split("|")


def test_the_page_lists_every_scope_and_every_set_of_grants() -> None:
    named = [scope for first, _ in rows("| scope |") for scope in re.findall(r"`([^`]+)`", first)]
    assert sorted(named) == sorted(SCOPES)
    shown = {}
    for kind, _, sets in rows("| `application_type` |"):
        listed = [frozenset(re.findall(r"`([^`]+)`", each)) for each in sets.split(" / ")]
        shown[kind.strip(" `")] = {each or frozenset().union(*listed) for each in listed}
    assert shown == {kind: set(sets) for kind, sets in SETS_OF_GRANTS.items()}
