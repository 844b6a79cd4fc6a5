"""Asks every service for a person's part, in that person's name."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Literal, NamedTuple
from uuid import UUID

import audit
from database import utc_now
from gateway.forwarding.asking import Asking
from gateway.forwarding.exchange import Fetched
from gateway.forwarding.failures import AnswerTooLarge, ForwardingFailure
from gateway.forwarding.headers import Headers
from gateway.forwarding.limits import MIB, Timeouts
from gateway.forwarding.refusals import of_failure
from privacy import Parts
from webapi import AuthenticatedCaller, Refusal

State = Literal["done", "composing", "unreachable"]
OWN: Final = "gateway"
LARGEST_PART: Final = 32 * MIB
MOST_AT_ONCE: Final = 2
"""Archives a process makes at a time: each may hold six of the largest parts, and the file itself, in memory."""
_TIMEOUTS: Final = Timeouts(first_byte=10, idle=10, total=60)
_DONE, _NOT_YET, _UNKNOWN = (200, 204), 202, 404


class PartState(NamedTuple):
    """How far one service is with its part."""

    service: str
    state: State


class NoExportYet(Exception):
    """No export was asked for."""


class PartsMissing(Exception):
    """Some services have not composed their part yet, or cannot be reached."""

    def __init__(self, states: list[PartState]) -> None:
        super().__init__(sum(each.state != "done" for each in states))
        self.parts = [each._asdict() for each in states]


class PartTooLarge(Exception):
    """What `service` knows is more than fits into the file; asking again does not make it less."""

    def __init__(self, service: str) -> None:
        super().__init__(service)
        self.service = service


class TooManyArchives(Exception):
    """As many archives are being made just now as the process has memory for."""


class Collector:
    """What of the gateway is needed to ask every service, itself among them, in the name of a caller."""

    def __init__(self, asking: Asking, own: Parts) -> None:
        self._asking = asking
        self._own = own
        self._being_made = 0
        self.services = tuple(sorted((*asking.services, OWN)))

    @asynccontextmanager
    async def room(self) -> AsyncIterator[None]:
        """Let one more archive be made in this block; raises `TooManyArchives` when there is no room for it."""
        if self._being_made >= MOST_AT_ONCE:
            raise TooManyArchives
        self._being_made += 1
        try:
            yield
        finally:
            self._being_made -= 1

    async def ask_identity(self, headers: Headers, path: str, *, method: bytes = b"GET") -> Fetched:
        """Ask identity; raises the 502 to 504 problem when it does not answer."""
        try:
            return await self._ask("identity", path, headers, method)
        except ForwardingFailure as failure:
            raise of_failure(failure, "identity") from failure

    async def states(self, headers: Headers, caller: AuthenticatedCaller, export_id: UUID) -> list[PartState]:
        """Say how far each service is; one that cannot be reached is asked again the next time."""
        found = await self._parts(headers, caller, export_id, only_state=True)
        return [PartState(service, part.state) for service, part in found.items()]

    async def parts(self, headers: Headers, caller: AuthenticatedCaller, export_id: UUID) -> dict[str, bytes]:
        """Give every service's part; raises `PartsMissing` unless all are there, `PartTooLarge` for one over 32 MiB."""
        found = await self._parts(headers, caller, export_id, only_state=False)
        if any(part.state != "done" for part in found.values()):
            raise PartsMissing([PartState(service, part.state) for service, part in found.items()])
        return {service: part.body for service, part in found.items()}

    async def _parts(
        self, headers: Headers, caller: AuthenticatedCaller, export_id: UUID, *, only_state: bool
    ) -> "dict[str, _Part]":
        asked = (self._part(service, headers, caller, export_id, only_state=only_state) for service in self.services)
        return dict(zip(self.services, await asyncio.gather(*asked), strict=True))

    async def _part(
        self, service: str, headers: Headers, caller: AuthenticatedCaller, export_id: UUID, *, only_state: bool
    ) -> "_Part":
        if service == OWN:
            return await self._own_part(caller, export_id, only_state=only_state)
        target = f"/v1/export-parts/{service}/{export_id}" + ("?only_state=true" if only_state else "")
        try:
            answer = await self._ask(service, target, headers)
        except AnswerTooLarge as failure:
            raise PartTooLarge(service) from failure
        except ForwardingFailure:
            return _Part("unreachable")
        if answer.status in _DONE:
            return _Part("done", answer.body)
        # A part that is unknown was not heard of yet: its service reads the request a moment later.
        return _Part("composing" if answer.status in {_NOT_YET, _UNKNOWN} else "unreachable")

    async def _own_part(self, caller: AuthenticatedCaller, export_id: UUID, *, only_state: bool) -> "_Part":
        try:
            async with caller.read() as session:
                part = await self._own.part_of(session, export_id, caller.person_id, now=utc_now())
        except Refusal:
            return _Part("composing")
        if part is None:
            return _Part("composing")
        if not only_state:
            async with caller.apart() as session:
                await self._own.record_fetched(session, audit.by(caller.principal), export_id)
        return _Part("done", part)

    async def _ask(self, service: str, target: str, headers: Headers, method: bytes = b"GET") -> Fetched:
        return await self._asking.ask(
            service, target, headers, timeouts=_TIMEOUTS, max_bytes=LARGEST_PART, method=method
        )


class _Part(NamedTuple):
    state: State
    body: bytes = b""
