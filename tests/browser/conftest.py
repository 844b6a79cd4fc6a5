"""One identity behind its gateway for all browser tests, what they ask of it, and the browser."""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from contracts.scopes import API_SCOPES
from identity.messages.commands import TEXTS
from testkit.accounts import purge
from testkit.databases import Template, TestDatabases
from testkit.sms import SmsGateway
from testkit.wechat import WechatServer
from tests.browser.control import controlled
from tests.outside.system import running_system

HOST = "localhost"
"""A name, for browsers make no passkeys for addresses of numbers."""


@pytest_asyncio.fixture(scope="session")
async def told(
    databases: TestDatabases,
    template_of: Callable[[str], Awaitable[Template]],
    nats_account_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[dict[str, Any]]:
    await purge(nats_account_url)
    folder = tmp_path_factory.mktemp("browser")
    with SmsGateway() as phones, WechatServer() as wechat:
        outside = {**phones.settings_for_texts(TEXTS), **wechat.settings}
        settings = {**outside, "codes_per_address": "10000", "failures_per_address": "10000"}
        async with running_system(databases, template_of, nats_account_url, folder, host=HOST, told=settings) as system:
            names = {"name_zh": "农事天气与病虫害预报服务", "name_en": "Farm weather and pest forecasts"}
            callback = ["https://weather.example.org/callback"]
            asked: dict[str, Any] = {
                "grant_types": ["authorization_code"],
                "scopes": ["openid", "profile", *API_SCOPES],
            }
            await system.register("weather", redirect_uris=callback, **asked, **names)
            device = ["urn:ietf:params:oauth:grant-type:device_code"]
            await system.register("screen", application_type="native", grant_types=device, **names)
            async with controlled(system, phones) as control:
                yield {"url": system.url, "control": control}


@pytest.fixture(scope="session")
def chromium() -> str:
    """Give the browser's program; the test fails where there is none."""
    found = os.environ.get("XIANGQIAO_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        pytest.fail(
            "no Chromium: install Debian's package chromium, or name one with XIANGQIAO_CHROMIUM", pytrace=False
        )
    return found
