"""Several addresses of one service: told one by one, or by the name of a host, which is looked up again."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio
from pydantic import ValidationError

from gateway.forwarding import upstream as upstreams
from gateway.forwarding.addresses import addresses_in
from gateway.forwarding.routing import Route
from testkit.tokens import TokenIssuer
from webapi import Authenticator

from ..in_process import settings_of
from .door import PATIENT, opened
from .raw_service import OK, Asked, RawService, Talk, until

ROUTES = (Route("/v1/courses", "learning", timeouts=PATIENT, writing=PATIENT),)
HOSTS = ("127.0.0.1", "127.0.0.2", "127.0.0.3")


@pytest_asyncio.fixture
async def instances(service: RawService) -> AsyncIterator[dict[str, RawService]]:
    """Three instances of a service on one port, as behind a name."""
    async with AsyncExitStack() as stack:
        others = [await stack.enter_async_context(RawService(host=host, port=service.port)) for host in HOSTS[1:]]
        yield dict(zip(HOSTS, (service, *others), strict=True))


class Names:
    """Stands in for the name service: tells these addresses, or that it cannot."""

    def __init__(self) -> None:
        self.told: tuple[str, ...] = ()
        self.asked = 0

    async def getaddrinfo(self, host: str, port: int, **_: Any) -> list[Any]:
        self.asked += 1
        if not self.told:
            raise socket.gaierror(socket.EAI_AGAIN, "try again")
        assert host == "learning.test"
        both = [(socket.AF_INET6, ("::1", port, 0, 0)), *((socket.AF_INET, (told, port)) for told in self.told)]
        return [(family, socket.SOCK_STREAM, 6, "", address) for family, address in both]


@pytest_asyncio.fixture
async def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    made = Names()
    monkeypatch.setattr(upstreams, "LOOKUP_EACH", 0.1)
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", made.getaddrinfo)
    return made


async def test_requests_go_to_each_address_in_turn(
    instances: dict[str, RawService], authenticator: Authenticator, token: str
) -> None:
    urls = {"learning": ",".join(each.url for each in instances.values())}
    async with opened(ROUTES, urls, authenticator, token) as door:
        for _ in range(12):
            assert (await door.ask("GET /v1/courses")).status == 200
    assert {len(each.asked) for each in instances.values()} == {4}


async def test_an_address_with_much_to_do_gets_less(
    instances: dict[str, RawService], authenticator: Authenticator, token: str
) -> None:
    held = asyncio.Event()

    async def behave(talk: Talk, _asked: Asked) -> None:
        await held.wait()
        await talk.say(OK)

    busy, *others = instances.values()
    busy.behave = behave
    urls = {"learning": ",".join(each.url for each in instances.values())}
    async with opened(ROUTES, urls, authenticator, token) as door:
        asking = [asyncio.create_task(door.ask("GET /v1/courses")) for _ in range(3)]
        await until(lambda: len(busy.asked) == 1)
        for _ in range(12):
            assert (await door.ask("GET /v1/courses")).status == 200
        assert len(busy.asked) == 1
        held.set()
        assert {reply.status for reply in await asyncio.gather(*asking)} == {200}
    assert sum(len(each.asked) for each in others) == 14


async def test_a_name_is_looked_up_again_while_somebody_asks(
    instances: dict[str, RawService],
    authenticator: Authenticator,
    token: str,
    names: Names,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", names.getaddrinfo)
    port = instances[HOSTS[0]].port
    async with opened(ROUTES, {"learning": f"http://learning.test:{port}"}, authenticator, token) as door:

        async def reached() -> set[str]:
            for each in instances.values():
                each.asked.clear()
            for _ in range(9):
                assert (await door.ask("GET /v1/courses")).status == 200
            return {host for host, each in instances.items() if each.asked}

        assert (await door.ask("GET /v1/courses")).status == 503
        names.told = HOSTS[:2]
        assert await reached() == set(HOSTS[:2])
        names.told = HOSTS[1:]
        await asyncio.sleep(0.15)
        await door.ask("GET /v1/courses")
        await until(lambda: {str(pool.address.host) for pool in door.upstreams["learning"].pools} == set(HOSTS[1:]))
        assert await reached() == set(HOSTS[1:])
        await instances[HOSTS[0]].settled(0)
        names.told = ()
        await asyncio.sleep(0.15)
        assert await reached() == set(HOSTS[1:])  # nobody can tell, so it stays as it was
        asked = names.asked
        await asyncio.sleep(0.3)
        assert names.asked == asked  # nobody asks, so nobody looks


def test_addresses_are_told_by_commas_and_none_twice() -> None:
    told = addresses_in("learning", "http://10.0.0.1:8000, https://[2001:db8::1],http://10.0.0.1:8000,http://localhost")
    assert [str(address) for address in told] == ["10.0.0.1:8000", "[2001:db8::1]:443", "localhost:80"]
    assert [address.tls is not None for address in told] == [False, True, False]
    assert not any(address.is_name for address in told)
    for wrong in ("", "http://a,", "http://a/path", "ftp://a", "http://a?x"):
        with pytest.raises(ValueError, match="address"):
            addresses_in("learning", wrong)


def test_the_setting_takes_several(issuer: TokenIssuer) -> None:
    several = "http://10.0.0.1:8000,http://10.0.0.2:8000"
    told = settings_of("postgresql://x@y/z", issuer, urls={"learning": "http://10.0.0.1:8000/ , http://10.0.0.2:8000"})
    assert told.upstreams["learning"] == several
    for wrong in ("http://10.0.0.1:8000,", "10.0.0.1"):
        with pytest.raises(ValidationError, match="upstream_learning"):
            settings_of("postgresql://x@y/z", issuer, urls={"learning": wrong})
