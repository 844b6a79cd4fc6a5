"""Owners of subjects before a gateway: each answers the list of its things by their ids, as the services' lists do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import orjson

from gateway.subjects.kinds import KINDS

from ..forwarding.raw_service import Asked, RawService, Talk
from ..in_process import SERVICES

MOST = 50


class Owners:
    """Five services; `things` are what the caller may see of each kind, `broken` is what a service answers instead.

    Those in `silent` take a request and say nothing.
    """

    def __init__(self) -> None:
        self.things: dict[str, dict[UUID, dict[str, Any]]] = {name: {} for name in KINDS}
        self.broken: dict[str, tuple[int, bytes]] = {}
        self.silent: set[str] = set()
        self.asked: list[Asked] = []
        self.urls: dict[str, str] = {}

    def own(self, kind: str, *ids: UUID, **fields: Any) -> None:
        """Let the caller see these things."""
        self.things[kind] |= {each: {KINDS[kind].id_name: str(each), "title": f"题目 {each}", **fields} for each in ids}

    @property
    def targets(self) -> list[str]:
        """What was asked, path and query."""
        return [asked.target.decode() for asked in self.asked]

    def behaviour(self, service: str) -> Any:
        async def behave(talk: Talk, asked: Asked) -> None:
            self.asked.append(asked)
            if service in self.silent:
                await asyncio.sleep(60)
            status, body = self.broken.get(service) or self._list(service, asked.target.decode())
            await talk.say(b"HTTP/1.1 %d X\r\ncontent-length: %d\r\n\r\n%b" % (status, len(body), body))

        return behave

    def _list(self, service: str, target: str) -> tuple[int, bytes]:
        path, asked = urlsplit(target).path, parse_qs(urlsplit(target).query)
        ((name, kind),) = [each for each in KINDS.items() if each[1][:2] == (service, path)]
        ids = [UUID(each) for each in asked[kind.id_name]]
        if len(ids) > MOST or asked.keys() != {kind.id_name, "limit"}:
            return 422, b"{}"
        found = [self.things[name][each] for each in ids if each in self.things[name]]
        return 200, orjson.dumps({"items": found[: int(asked["limit"][0])], "next_cursor": None})


@asynccontextmanager
async def opened_owners() -> AsyncIterator[Owners]:
    """Give the owners, reached at their `urls`, for the length of the block."""
    owners = Owners()
    async with AsyncExitStack() as stack:
        for service in SERVICES:
            served = await stack.enter_async_context(RawService(owners.behaviour(service)))
            owners.urls[service] = served.url
        yield owners
