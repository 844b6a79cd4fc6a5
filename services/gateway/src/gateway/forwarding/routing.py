"""Which service answers which path, and which paths nobody may ask for."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from contracts import SERVICES
from gateway.edge.deadlines import READING, SLOW_SECONDS, WRITE_SECONDS
from gateway.forwarding.limits import KIB, MIB, Timeouts

# What two readers of one path could take for different paths: empty and dot segments, encoded dots, slashes and
# backslashes, control characters, escapes that are none, and anything that is not printable ASCII.
_ODD = re.compile(rb"//|/\.{1,2}(?:/|$)|[^\x21-\x7e]|[\\#?]|%(?:2[ef]|5c|0.|1.|7f|(?![0-9a-f]{2}))|;", re.IGNORECASE)
_PLAIN = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_/"
"""What nearly every path is made of: of that only two slashes are odd, and no regular expression has to look."""


_ASKED_BY_SCRIPT = ("token", "revoke", "device_authorization", "jwks")
"""What of OAuth is no page of the sign-in: pages of other origins may ask it, and no cookie comes along."""
_BEHIND = tuple(service for service in SERVICES if service != "gateway")


_FORM: Final = 16 * KIB
"""What identity reads of a form."""


_READ: Final = Timeouts()
_WRITE: Final = Timeouts(first_byte=WRITE_SECONDS)
_SLOW: Final = Timeouts(first_byte=SLOW_SECONDS)


class OddPath(Exception):
    """A path that could mean different things to the gateway and to a service."""


@dataclass(frozen=True, slots=True)
class Route:
    """All paths below `prefix` (whole segments) go to `service`; None is the gateway itself.

    A `public` route needs no access token; one that is `counted` takes its requests from a client's quota when they
    bring one, as all others do. `cookies` pass on a sign-in page's route alone. `max_body` in bytes. `timeouts` are of
    what only reads, `writing` of the rest.
    """

    prefix: str
    service: str | None
    public: bool = False
    counted: bool = False
    cookies: bool = False
    max_body: int = 16 * MIB
    timeouts: Timeouts = _READ
    writing: Timeouts = _WRITE

    def times(self, method: str, wait: float | None = None) -> Timeouts:
        """Give the times of a request; the seconds that its client would `wait` shorten them and never lengthen."""
        times = self.timeouts if method in READING else self.writing
        return times if wait is None or wait >= times.first_byte else replace(times, first_byte=wait)


def _slow(prefix: str, service: str | None) -> Route:
    """Make the route of what takes its time: what reads or makes files, and many acts in one request."""
    return Route(prefix, service, timeouts=_SLOW, writing=_SLOW)


class _Node:
    __slots__ = ("children", "route")

    def __init__(self) -> None:
        self.children: dict[bytes, _Node] = {}
        self.route: Route | None = None


class RoutingTable:
    """Finds the route with the longest prefix, segment by segment; a prefix may stand in the table once."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes: Sequence[Route] = tuple(routes)
        self._root = _Node()
        for route in self.routes:
            if not route.prefix.startswith("/") or _ODD.search(route.prefix.encode()) or route.prefix.endswith("/"):
                raise ValueError(f"not a prefix of paths: {route.prefix!r}")
            node = self._root
            for segment in route.prefix.encode("ascii").split(b"/")[1:]:
                node = node.children.setdefault(segment, _Node())
            if node.route is not None:
                raise ValueError(f"two routes for {route.prefix}")
            node.route = route

    def find(self, path: bytes) -> Route | None:
        """Give the route of a raw path (as on the wire, without query), None when there is none; raises OddPath."""
        if path[:1] != b"/" or b"//" in path or (path.translate(None, _PLAIN) and _ODD.search(path) is not None):
            raise OddPath
        node = self._root
        found: Route | None = None
        start = 1
        while True:
            end = path.find(b"/", start)
            child = node.children.get(path[start:] if end < 0 else path[start:end])
            if child is None:
                return found
            node = child
            found = node.route or found
            if end < 0:
                return found
            start = end + 1


def public_routes() -> RoutingTable:
    """Give the table of the system's public paths."""
    return RoutingTable(
        (
            Route("/v1/organisations", "members"),
            _slow("/v1/organisation-imports", "members"),
            Route("/v1/members", "members"),
            _slow("/v1/member-imports", "members"),
            Route("/v1/accounts", "identity"),
            _slow("/v1/account-lists", "identity"),
            Route("/v1/role-assignments", "identity"),
            Route("/v1/roles", "identity"),
            Route("/v1/me", "identity"),
            _slow("/v1/me/export", None),
            _slow("/v1/me/exports", None),
            Route("/v1/clients", "identity"),
            Route("/v1/assisted-sessions", "identity"),
            Route("/v1/recoveries", "identity"),
            Route("/v1/phone-replacements", "identity"),
            Route("/v1/legal-holds", "identity"),
            Route("/oauth2", "identity", public=True, cookies=True, max_body=_FORM),
            *(Route(f"/oauth2/{asked}", "identity", public=True, max_body=_FORM) for asked in _ASKED_BY_SCRIPT),
            Route("/oauth2/userinfo", "identity", public=True, counted=True, max_body=_FORM),
            Route("/.well-known", "identity", public=True, max_body=_FORM),
            Route("/sign-in", "identity", public=True, cookies=True, max_body=_FORM),
            Route("/v1/activities", "activities"),
            Route("/v1/courses", "learning"),
            Route("/v1/lessons", "learning"),
            Route("/v1/help-requests", "learning"),
            Route("/v1/cases", "feedback"),
            Route("/v1/responsibilities", "feedback"),
            *(Route(f"/v1/audit/{service}", service) for service in _BEHIND),
            Route("/v1/audit/gateway", None),
            *(Route(f"/v1/me/access-log/{service}", service) for service in _BEHIND),
            Route("/v1/me/access-log", None),
            Route("/v1/home", None),
            Route("/v1/sync/changes", None),
            Route("/v1/events", None),
            Route("/v1/overview", None),
            Route("/v1/status", None),
            _slow("/v1/sync", None),
            Route("/v1/operations", None),
        )
    )
