"""Asks services in the name of a caller, with that caller's own token: the gateway may see no more than they."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, TypeVar
from urllib.parse import urlsplit

from gateway.forwarding.exchange import Fetched, fetch
from gateway.forwarding.failures import ForwardingFailure, ServiceSlow
from gateway.forwarding.headers import Headers, OddRequest
from gateway.forwarding.limits import Timeouts
from gateway.forwarding.refusals import odd_request
from gateway.forwarding.upstream import Upstream

logger = logging.getLogger(__name__)

_OK: Final = 200
_PASSED: Final = (b"authorization", b"accept-language")
_PASSED_TO_WRITE: Final = (*_PASSED, b"idempotency-key", b"if-match")

K = TypeVar("K")
T = TypeVar("T")


class Question(NamedTuple):
    """What a service is asked: `target` is "/path?query"."""

    service: str
    target: str


class Asking:
    """What of the gateway is needed to ask a service for itself; `services` are their names, in order."""

    def __init__(self, upstreams: Mapping[str, Upstream], *, public_url: str) -> None:
        self._upstreams = upstreams
        self._host = urlsplit(public_url).netloc
        self.services = tuple(sorted(upstreams))

    async def ask(
        self,
        service: str,
        target: str,
        headers: Headers,
        *,
        timeouts: Timeouts,
        max_bytes: int,
        method: bytes = b"GET",
        body: bytes = b"",
    ) -> Fetched:
        """Ask for `target` ("/path?query") with what of the caller's `headers` says who they are; `body` is JSON.

        Raises ForwardingFailure, and the problem (431) of a head that is too large, as the door does.
        """
        passed = _PASSED if method == b"GET" else _PASSED_TO_WRITE
        try:
            return await fetch(
                self._upstreams[service],
                target,
                host=self._host,
                timeouts=timeouts,
                max_bytes=max_bytes,
                method=method,
                body=body,
                headers=[(name, value) for name, value in headers if name in passed],
            )
        except OddRequest as odd:
            raise odd_request(odd) from odd

    async def hear(
        self,
        asked: Mapping[K, Question],
        headers: Headers,
        *,
        seconds: float,
        max_bytes: int,
        read: Callable[[K, bytes], T],
    ) -> dict[K, T]:
        """Ask everything at once, each by a name of its own, and give what `read` makes of each answer of 200.

        Left out is who fails, is later than `seconds`, or says what `read` refuses with ValueError. Raises the problem
        (431) of a head that is too large.
        """
        answers = await asyncio.gather(*(self._heard(each, headers, seconds, max_bytes) for each in asked.values()))
        heard: dict[K, T] = {}
        for (name, question), (body, failed) in zip(asked.items(), answers, strict=True):
            reason = failed
            if body is not None:
                try:
                    heard[name] = read(name, body)
                    continue
                except ValueError:
                    reason = "unreadable"
            logger.warning("service_unheard", extra={"upstream_id": question.service, "reason": reason})
        return heard

    async def _heard(
        self, question: Question, headers: Headers, seconds: float, max_bytes: int
    ) -> tuple[bytes | None, str]:
        """Give the body of an answer, or why there is none."""
        timeouts = Timeouts(first_byte=seconds, total=seconds)
        try:
            async with asyncio.timeout(seconds):
                answer = await self.ask(*question, headers, timeouts=timeouts, max_bytes=max_bytes)
        except TimeoutError:
            return None, ServiceSlow.reason
        except ForwardingFailure as failure:
            return None, failure.reason
        return (answer.body, "") if answer.status == _OK else (None, f"status_{answer.status}")
