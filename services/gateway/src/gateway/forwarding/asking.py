"""Asks services in the name of a caller, with that caller's own token: the gateway may see no more than they."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from gateway.forwarding.exchange import Fetched, fetch
from gateway.forwarding.headers import Headers, OddRequest
from gateway.forwarding.limits import Timeouts
from gateway.forwarding.pool import Upstream
from gateway.forwarding.refusals import odd_request

_PASSED: Final = (b"authorization", b"accept-language")
_PASSED_TO_WRITE: Final = (*_PASSED, b"idempotency-key")


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
    ) -> Fetched:
        """Ask for `target` ("/path?query") with what of the caller's `headers` says who they are.

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
                headers=[(name, value) for name, value in headers if name in passed],
            )
        except OddRequest as odd:
            raise odd_request(odd) from odd
