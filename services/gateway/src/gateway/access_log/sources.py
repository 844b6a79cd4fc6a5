"""Hears the access log of every service, with the person's own token, and the gateway's own."""

from collections.abc import Mapping
from typing import Final

from audit.queries import AccessOut, list_concerning
from audit.routes import access_log_target
from database import raw
from gateway.access_log.rules import ENDED, Part, Position
from gateway.forwarding.asking import Asking, Question
from gateway.forwarding.headers import Headers
from gateway.forwarding.limits import MIB
from webapi import AuthenticatedCaller, Page

OWN: Final = "gateway"
_SECONDS: Final = 3.0


class AccessLogs:
    """The access logs of all services, of which `services` are the names, in order."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self.services = tuple(sorted((*asking.services, OWN)))

    async def parts(
        self, headers: Headers, caller: AuthenticatedCaller, positions: Mapping[str, Position], limit: int
    ) -> dict[str, Part[AccessOut]]:
        """Give what each log that has not ended has below its position, up to `limit` entries.

        A service that cannot tell now is left out.
        """
        asked = {
            service: Question(service, access_log_target(service, before=positions[service], limit=limit))
            for service in self._asking.services
            if positions[service] != ENDED
        }
        heard = await self._asking.hear(asked, headers, seconds=_SECONDS, max_bytes=MIB, read=_read)
        if positions[OWN] != ENDED:
            heard[OWN] = await _own_part(caller, positions[OWN], limit)
        return heard


def _read(_: str, body: bytes) -> Part[AccessOut]:
    page = Page[AccessOut].model_validate_json(body)
    return Part(page.items, more=page.next_cursor is not None)


async def _own_part(caller: AuthenticatedCaller, position: Position, limit: int) -> Part[AccessOut]:
    async with caller.read() as session:
        entries = await list_concerning(
            await raw(session), caller.person_id, service=OWN, before=position, limit=limit + 1
        )
    return Part(entries[:limit], more=len(entries) > limit)
