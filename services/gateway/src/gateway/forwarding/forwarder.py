"""The door: an ASGI application that sends each request to its service, and the rest to the application behind it."""

import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from time import perf_counter
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from gateway.edge.deadlines import announced
from gateway.edge.shaping import shaping
from gateway.forwarding import measures, origins, refusals, shared_exchanges
from gateway.forwarding.client import Client, Message, Receive, Send
from gateway.forwarding.endings import Endings, Forms, lines_for
from gateway.forwarding.exchange import Exchange
from gateway.forwarding.failures import ClientGone, ForwardingFailure
from gateway.forwarding.headers import Answer, OddRequest, RequestHead, check_sizes, read_request, write_head
from gateway.forwarding.inflating import inflated
from gateway.forwarding.routing import OddPath, Route, RoutingTable
from gateway.forwarding.shared_exchanges import Leading, SharedExchanges
from gateway.forwarding.slow_clients import Holding, Patience, Room
from gateway.forwarding.upstream import Upstream
from gateway.quotas.buckets import NOT_LET_IN, Quotas
from telemetry import ServedRequest
from webapi.authentication import Authenticator, Principal, bearer_token
from webapi.bounded_http import BEGUN, WHOLE
from webapi.health import PATHS
from webapi.languages import language_of
from webapi.problems import Refusal, problem_response
from webapi.requests import let_go

Scope = MutableMapping[str, Any]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

GONE_STATUS: Final = 499  # nginx's number for a client that left; nobody receives it
CUT_STATUS: Final = 502
_REFUSED: Final = frozenset({403, 404})
_TOKENS: Final = b"/oauth2/token"

log = logging.getLogger("gateway.forwarding")


class _Call(NamedTuple):
    """One request that is forwarded."""

    scope: Scope
    receive: Receive
    send: Send
    route: Route
    served: ServedRequest


class _Cut(Exception):
    """The exchange failed after its answer had begun, so that only breaking off is left."""

    def __init__(self, failure: ForwardingFailure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


class Forwarder:
    """Stands before `app` (raw ASGI: a framework's route costs more than the whole of this).

    A request goes through these steps: path → route; origin → may its page ask; head → understood or refused; token →
    principal; exchange with the service; answer. What depends on who asks (limits, quotas) belongs into `_admit`, what
    spares an exchange (cache) before `_exchange`, what changes an answer (compression, ETag) into `_answer`; where an
    exchange goes, and whether it does so again, is the upstream's.

    `upstreams` has one entry for each service that `routes` name. `public_url` is where clients reach the gateway:
    services see its host and scheme, whatever the client claims. The pools are closed when the server shuts down.
    `patience` says how slow a client may be, `endings` which operations will go: their answers say so.
    Equal reads of one person share an exchange where their paths are `unrecorded`.
    """

    def __init__(
        self,
        app: Application,
        *,
        routes: RoutingTable,
        upstreams: Mapping[str, Upstream],
        authenticator: Authenticator,
        public_url: str,
        quotas: Quotas,
        patience: Patience,
        endings: Endings = (),
        unrecorded: Forms = (),
    ) -> None:
        missing = {route.service for route in routes.routes if route.service is not None} - upstreams.keys()
        if missing:
            raise ValueError(f"no upstream for {', '.join(sorted(missing))}")
        self._app = app
        self._routes = routes
        self._upstreams = upstreams
        self._authenticator = authenticator
        self._quotas = quotas
        self._patience = patience
        self._endings = endings
        self._shared = SharedExchanges(unrecorded)
        self.room = Room(patience.places)
        self._own = _own_lines(public_url)
        self._own_origin = "{0.scheme}://{0.netloc}".format(urlsplit(public_url))
        self._of_sign_in = authenticator.accepting_also(public_url)
        for upstream in upstreams.values():
            upstream.watch()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        kind = scope["type"]
        if kind == "lifespan":
            await self._app(scope, receive, self._closing(send))
            return
        if kind == "websocket":
            await self._refuse_websocket(scope, receive, send)
            return
        path: bytes = scope["raw_path"]
        try:
            route = self._routes.find(path)
        except OddPath:
            await _refuse(refusals.odd_path(), scope, receive, send)
            return
        if route is None or not route.public:
            scope, send = shaping(scope, send)
        try:
            opened = await self._open_to_origin(route, scope, send)
            if opened is None:
                return
            scope, send = opened
            scope, receive = inflated(scope, receive)
        except Refusal as refusal:
            await _refuse(refusal, scope, receive, send)
            return
        if self._endings and (lines := lines_for(self._endings, scope["method"], path)):
            scope, send = origins.adding(scope, send, lines)
        if route is not None and route.service is not None:
            await self._forward(route, route.service, scope, receive, send)
        elif route is None and (path.startswith(b"/v1/") or path == b"/v1"):
            await _refuse(refusals.not_found(), scope, receive, send)
        else:
            await self._answer_here(route, scope, receive, send)

    async def _open_to_origin(self, route: Route | None, scope: Scope, send: Send) -> tuple[Scope, Send] | None:
        """Let the page that asks read the answer if its origin is a client's; None when it only asked whether it may.

        What a cache may keep, as documents, says to everybody that it varies.
        """
        if route is not None and route.cookies:
            return scope, send
        origin, preflight = origins.asking(scope["method"], scope["headers"], own=self._own_origin)
        if origin is None and not (route is None or route.public):
            return scope, send
        allowed = origin is not None and self._quotas.knows_origin(origin)
        if origin is not None and preflight:
            await origins.answer_preflight(origin, send, allowed=allowed)
            return None
        return origins.opened(scope, send, origin, allowed=allowed)

    async def _answer_here(self, route: Route | None, scope: Scope, receive: Receive, send: Send) -> None:
        """Count a request that the application behind answers itself."""
        try:
            principal = None
            if route is not None and not route.public:
                principal = await self._count(scope, self._authenticator)
            elif scope["path"] not in PATHS:
                self._quotas.take_address(_address_of(scope))
        except Refusal as refusal:
            await _refuse(refusal, scope, receive, send)
            return

        if route is not None:
            times = route.times(scope["method"])
            scope = {**scope, "headers": announced(scope["headers"], times.first_byte)}

        async def watched(message: Message) -> None:
            self._note(principal, message.get("status"), scope)
            self._shared.passed(scope["method"], principal)
            await send(message)

        async def heard() -> Message:
            try:
                return await receive()
            except ForwardingFailure as failure:
                raise refusals.of_failure(failure, "gateway") from failure

        await self._app(scope, heard, watched)

    def close(self) -> None:
        """Close all connections to services."""
        for upstream in self._upstreams.values():
            upstream.close()

    async def _forward(self, route: Route, service: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward one request, refuse it, or break off; whichever it is, count it and end its span."""
        method: str = scope["method"]
        served = ServedRequest(method, ())  # the client's trace is not continued: it could force recording
        status, outcome = 500, "5xx"
        failure: ForwardingFailure | None = None
        call = _Call(scope, receive, send, route, served)
        try:
            try:
                status = await self._exchange(call, self._upstreams[service])
            except Refusal as refusal:
                failure = refusal.__cause__ if isinstance(refusal.__cause__, ForwardingFailure) else None
                status = refusal.problem.status
                await _refuse(refusal, scope, receive, send, served.trace_id)
            outcome = f"{status // 100}xx"
        except ClientGone:
            status, outcome = GONE_STATUS, measures.CLIENT_GONE
        except _Cut as cut:  # returning without the end of the answer makes the server break the connection
            status, outcome, failure = CUT_STATUS, measures.CUT, cut.failure
        finally:
            if failure is not None:
                measures.FAILURES.labels(service, failure.reason).inc()
                log.warning(
                    "forwarding_failed", extra={"upstream_id": service, "reason": failure.reason, "state": outcome}
                )
            measures.count(service, method, outcome)
            served.finish(route.prefix, status, failure)
            let_go(failure)

    async def _exchange(self, call: "_Call", upstream: Upstream) -> int:
        """Ask the service and pass its answer on; gives the status. Raises Refusal, ClientGone or _Cut."""
        scope, route = call.scope, call.route
        method: str = scope["method"]
        if method not in refusals.METHODS:
            raise refusals.method_not_allowed()
        trace_id, own = self._lines_of(call.served, scope)
        target, head, data = _understand(scope, own, route)
        principal = await self._admitted(route, scope)
        key = shared_exchanges.key_of(method, target, head, principal)
        exchange: Exchange | None = None
        leading: Leading | None = None
        failed: ForwardingFailure | None = None
        try:
            shared = await self._shared.followed(key, scope["raw_path"])
            if shared is not None:
                measures.SHARED.labels(upstream.service).inc()
                await _answer(shared.answer, None, call, trace_id, shared.body)
                return shared.answer.status
            leading = self._shared.lead(key)
            room = Holding(self.room, principal, _address_of(scope))
            client = Client(call.receive, head, max_body=route.max_body, patience=self._patience, room=room)
            client.followers = leading.followers
            times = route.times(method, head.wait)
            exchange = Exchange(upstream, method.encode(), data, client=client, timeouts=times, keyed=head.keyed)
            asked = perf_counter()
            answer = await exchange.open()
            self._shared.passed(method, principal)
            self._note(principal, answer.status, scope)
            measures.answered(upstream.service, perf_counter() - asked)
            if answer.length is None and not answer.without_body and scope["http_version"] == "1.0":
                raise refusals.odd_request(OddRequest("version", 505))  # its end could not be told to such a client
            await leading.close(answer, exchange)
            if target == _TOKENS:
                self._authenticator.expect(await exchange.whole(shared_exchanges.LARGEST))
            await _answer(answer, exchange, call, trace_id, None)
        except ClientGone:
            raise
        except ForwardingFailure as failure:
            failed = failure
            if _has_begun(scope):  # its head may still wait for its body
                raise _Cut(failure) from failure
            raise refusals.of_failure(failure, upstream.service) from failure
        finally:
            self._shared.passed(method, principal)
            if leading is not None:
                leading.end(failed)
            if exchange is not None:
                exchange.close()
                exchange.leave()
        return answer.status

    async def _admitted(self, route: Route, scope: Scope) -> Principal | None:
        """Count a request against its quotas, and give who asks where a token is demanded."""
        if not route.public:
            return await self._admit(scope, self._authenticator)
        if route.counted:
            await self._count(scope, self._of_sign_in)
        else:
            self._quotas.take_address(_address_of(scope))
        return None

    def _note(self, principal: Principal | None, status: int | None, scope: Scope) -> None:
        """Count an answer that refuses a person what is somebody else's."""
        if status in _REFUSED and principal is not None and principal.is_person:
            self._quotas.was_refused(principal.client_id, principal.asker, scope["raw_path"], scope["query_string"])

    async def _count(self, scope: Scope, authenticator: Authenticator) -> Principal | None:
        """Count a request against its quotas; what is wrong with its token, whoever answers it says."""
        try:
            return await self._admit(scope, authenticator)
        except Refusal as refusal:
            if refusal.problem in {*NOT_LET_IN, origins.ORIGIN_NOT_REGISTERED}:
                raise
        return None

    async def _admit(self, scope: Scope, authenticator: Authenticator) -> Principal:
        """Check the access token, which the service checks again by itself, and count it against its quotas.

        A page uses the tokens of the client alone that is registered at its origin.
        """
        try:
            token = bearer_token(scope["headers"])
        except Refusal:
            self._quotas.take_address(_address_of(scope))
            raise
        principal = authenticator.known(token)
        if principal is None:
            with self._quotas.unproven(authenticator.known_session(token), _address_of(scope)):
                principal = await authenticator.authenticate(token)
        origin = scope.get(origins.ORIGIN)
        if origin is not None and origin not in self._quotas.origins_of(principal.client_id):
            raise Refusal(origins.ORIGIN_NOT_REGISTERED)
        person = principal.asker if principal.is_person else None
        self._quotas.take(principal.client_id, person, scope["raw_path"], scope["query_string"])
        return principal

    def _lines_of(self, served: ServedRequest, scope: Scope) -> tuple[bytes, bytes]:
        """Give the trace id, which is also the request's id, and the header lines that only the gateway may write."""
        context = served.span.get_span_context()
        trace_id = b"%032x" % context.trace_id
        told = (self._own, trace_id, trace_id, context.span_id, context.trace_flags)
        lines = b"%bx-request-id: %b\r\ntraceparent: 00-%b-%016x-%02x\r\n" % told
        if client := scope.get("client"):
            lines = b"%bx-forwarded-for: %b\r\n" % (lines, client[0].encode("ascii", "replace"))
        return trace_id, lines

    async def _refuse_websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        if "websocket.http.response" in scope.get("extensions", {}):
            await _refuse(refusals.odd_request(OddRequest("upgrade", 501)), scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    def _closing(self, send: Send) -> Send:
        async def closing(message: Message) -> None:
            if message["type"].startswith("lifespan.shutdown."):
                self.close()
            await send(message)

        return closing


def _own_lines(public_url: str) -> bytes:
    url = urlsplit(public_url)
    if url.scheme not in {"http", "https"} or not url.hostname or "@" in url.netloc:
        raise ValueError(f"not the address of a gateway: {public_url!r}")
    host = url.netloc.encode("ascii")
    lines = b"host: %b\r\nvia: 1.1 xiangqiao\r\nx-forwarded-host: %b\r\nx-forwarded-proto: %b\r\n"
    return lines % (host, host, url.scheme.encode("ascii"))


def _address_of(scope: Scope) -> str:
    return scope["client"][0] if scope.get("client") else ""


def _has_begun(scope: Scope) -> bool:
    begun = scope.get("extensions", {}).get(BEGUN)
    return begun is not None and begun()


def _understand(scope: Scope, own: bytes, route: Route) -> tuple[bytes, RequestHead, bytes]:
    """Give a request's target, what is understood of its head, and the head for the service; raises Refusal."""
    target: bytes = scope["raw_path"]
    if scope["query_string"]:
        target = b"%b?%b" % (target, scope["query_string"])
    method: str = scope["method"]
    try:
        check_sizes(target, scope["headers"])
        head = read_request(method, scope["http_version"], scope["headers"], cookies=route.cookies)
        return target, head, write_head(method.encode(), target, head, own)
    except OddRequest as odd:
        raise refusals.odd_request(odd) from odd


async def _answer(answer: Answer, exchange: Exchange | None, call: _Call, trace_id: bytes, body: bytes | None) -> None:
    """Pass an answer on as it comes, or with its whole body; the connection goes back before the last piece is sent."""
    headers = answer.headers
    if not call.route.cookies:
        headers = [header for header in headers if header[0] != b"set-cookie"]
    headers.append((b"x-request-id", trace_id))
    if exchange is not None:
        exchange.over()
        body = exchange.said
    elif answer.length is None and body is not None:
        headers.append((b"content-length", b"%d" % len(body)))
    if body is not None and (answer.length is not None or exchange is None):
        whole = call.scope.get("extensions", {}).get(WHOLE)
        if whole is not None and whole(answer.status, headers, body):
            return
    await call.send({"type": "http.response.start", "status": answer.status, "headers": headers})
    more = True
    while more:
        data, more = (body or b"", False) if exchange is None else await exchange.piece()
        await call.send({"type": "http.response.body", "body": data, "more_body": more})


async def _refuse(refusal: Refusal, scope: Scope, receive: Receive, send: Send, trace_id: str | None = None) -> None:
    response = problem_response(refusal, language_of(scope["headers"]), trace_id)
    if trace_id is not None:
        response.headers["x-request-id"] = trace_id
    await response(scope, receive, send)
