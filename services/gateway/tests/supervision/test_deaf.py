"""While no beats come, the doors of the services tell how they do, and nobody waits for one that does not answer."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from gateway.forwarding.limits import Timeouts
from gateway.supervision import watching
from testkit.tokens import TokenIssuer

from ..forwarding.raw_service import Asked, RawService, Talk, answering
from ..in_process import SERVICES, opened, settings_of

READY, FAILING = (b"HTTP/1.1 %d X\r\ncontent-length: 0\r\n\r\n" % status for status in (200, 503))


async def silent(_talk: Talk, _asked: Asked) -> None:
    await asyncio.sleep(60)


async def test_what_the_doors_say_is_told_and_nobody_waits_for_it(
    database_url: str, issuer: TokenIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_TIMEOUTS", Timeouts(connect=0.5, queue=0.5, first_byte=0.5, idle=0.5, total=0.5))
    async with (
        RawService(silent) as frozen,
        RawService(answering(FAILING)) as failing,
        RawService(answering(READY)) as ready,
    ):
        urls = {**dict.fromkeys(SERVICES, ready.url), "feedback": frozen.url, "learning": failing.url}
        async with opened(settings_of(database_url, issuer, urls=urls)) as gateway:

            async def told() -> dict[str, Any]:
                answer = await gateway.client.get("/v1/status", headers=issuer.headers(uuid4()))
                assert answer.status_code == 200
                return {each["capability"]: each["condition"] for each in answer.json()["capabilities"]}

            assert set((await told()).values()) == {"fine"}, "nothing bad is said before anybody was asked"
            assert len(frozen.asked) <= 1
            async with asyncio.timeout(20):
                while (await told())["cases"] != "down":
                    await asyncio.sleep(0.05)
            assert await told() == {
                **dict.fromkeys(("sign_in", "member_files", "meetings", "home"), "fine"),
                "learning": "unsteady",
                "cases": "down",
            }
            assert len(frozen.asked) <= 2, "it is asked once in some seconds, however many want to know"
