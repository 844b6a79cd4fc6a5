"""Every page in Chromium: no axe finding, no script needed, large type, nothing too wide, nothing its CSP forbids."""

import json
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from identity.messages.texts import TEXTS
from testkit.accounts import purge
from testkit.databases import TestDatabases
from testkit.sms import running_gateway
from tests.browser.control import controlled
from tests.outside.node import installed, run
from tests.outside.system import running_system

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent
TEMPLATES = HERE.parents[1] / "services" / "identity" / "src" / "identity" / "pages" / "templates"
NO_PAGE = {"layout"}
NOT_OPENED = {
    "wechat_refused": "needs an application at WeChat",
}
"""Pages that nothing here opens, and why."""
_SECONDS = 600


@pytest_asyncio.fixture(scope="module")
async def told(
    databases: TestDatabases, nats_account_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, Any]]:
    await purge(nats_account_url)
    folder = tmp_path_factory.mktemp("browser")
    async with running_gateway() as phones:
        settings = {**phones.identity_settings(TEXTS), "codes_per_address": "10000", "failures_per_address": "10000"}
        async with running_system(databases, nats_account_url, folder, told=settings) as system:
            names = {"name_zh": "农事天气与病虫害预报服务", "name_en": "Farm weather and pest forecasts"}
            callback = ["https://weather.example.org/callback"]
            await system.register("weather", redirect_uris=callback, grant_types=["authorization_code"], **names)
            device = ["urn:ietf:params:oauth:grant-type:device_code"]
            await system.register("screen", application_type="native", grant_types=device, **names)
            async with controlled(system, phones) as control:
                yield {"url": system.url, "control": control}


def chromium() -> str:
    """Give the browser's program; the test fails where there is none."""
    found = os.environ.get("XIANGQIAO_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        pytest.fail(
            "no Chromium: install Debian's package chromium, or name one with XIANGQIAO_CHROMIUM", pytrace=False
        )
    return found


async def test_every_page_is_good_in_both_languages_with_script_and_without(told: dict[str, Any]) -> None:
    pictures = os.environ.get("XIANGQIAO_PICTURES")
    said = {**told, "chromium": chromium(), "pictures": pictures, "only": os.environ.get("ONLY", "")}
    status, output = await run(["node", "pages.mjs"], await installed(HERE), told=said, seconds=_SECONDS)
    assert status == 0, output
    seen = [json.loads(line) for line in output.splitlines()]
    named = {f"{each['template']} {each['face']} {each['language']} script={each['script']}": each for each in seen}
    bad = [f"{name}: {problem}" for name, each in named.items() for problem in each["problems"]]
    assert not bad, "\n".join(bad)
    if said["only"]:
        return
    opened = {each["template"] for each in seen}
    assert opened | NOT_OPENED.keys() == {file.stem for file in TEMPLATES.glob("*.html")} - NO_PAGE
    assert len(named) == len(seen)
    assert len(seen) % 4 == 0  # two languages, with script and without
