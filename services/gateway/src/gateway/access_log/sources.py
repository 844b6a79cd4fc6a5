"""Hears the access log of every service, with the person's own token, and the gateway's own."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

from pydantic import ValidationError

from audit.queries import AccessOut, list_concerning
from audit.routes import access_log_target
from database import raw
from gateway.access_log.rules import ENDED, Part, Position
from gateway.forwarding.asking import Asking
from gateway.forwarding.failures import ForwardingFailure
from gateway.forwarding.headers import Headers
from gateway.forwarding.limits import MIB, Timeouts
from webapi import AuthenticatedCaller, Page

logger = logging.getLogger(__name__)

OWN: Final = "gateway"
_TIMEOUTS: Final = Timeouts(connect=1, queue=1, first_byte=3, idle=3, total=5)
_OK: Final = 200


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
        asked = [service for service in self.services if positions[service] != ENDED]
        found = await asyncio.gather(
            *(self._part(service, headers, caller, positions[service], limit) for service in asked)
        )
        return {service: part for service, part in zip(asked, found, strict=True) if part is not None}

    async def _part(
        self, service: str, headers: Headers, caller: AuthenticatedCaller, position: Position, limit: int
    ) -> Part[AccessOut] | None:
        if service == OWN:
            return await _own_part(caller, position, limit)
        target = access_log_target(service, before=position, limit=limit)
        try:
            answer = await self._asking.ask(service, target, headers, timeouts=_TIMEOUTS, max_bytes=MIB)
            if answer.status == _OK:
                page = Page[AccessOut].model_validate_json(answer.body)
                return Part(page.items, more=page.next_cursor is not None)
            reason = f"status_{answer.status}"
        except ForwardingFailure as failure:
            reason = failure.reason
        except ValidationError:
            reason = "unreadable"
        logger.warning("access_log_unheard", extra={"service": service, "reason": reason})
        return None


async def _own_part(caller: AuthenticatedCaller, position: Position, limit: int) -> Part[AccessOut]:
    async with caller.read() as session:
        entries = await list_concerning(
            await raw(session), caller.person_id, service=OWN, before=position, limit=limit + 1
        )
    return Part(entries[:limit], more=len(entries) > limit)
