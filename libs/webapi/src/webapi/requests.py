"""What happens around every request: its span and metrics, the size limit of its body, and one place for all errors."""

import logging
from collections.abc import Callable, Collection
from hashlib import sha256
from typing import Final

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from telemetry import ServedRequest
from webapi.access import WORDS, declared
from webapi.bounded_http import WHOLE
from webapi.caller import CALLER, AuthenticatedCaller, RefusalRecorder
from webapi.deadlines import Deadlined
from webapi.idempotency import BODY_HASH, AlreadyAnswered, has_key, refuse_key_on_read
from webapi.languages import language_of
from webapi.problems import (
    BODY_TOO_LARGE,
    METHOD_NOT_ALLOWED,
    PASSING,
    SERVICE_SLOW,
    UNAVAILABLE,
    Problem,
    Problems,
    Refusal,
    by_status,
    problem_response,
)
from webapi.validation import invalid

_log = logging.getLogger(__name__)

BODY_LIMIT: Final = 1024 * 1024
HEAD: Final = "xiangqiao.head"
"""In the scope of a request that asks for an answer's head alone: what has no end then need not begin."""
_SERVER_ERROR: Final = 500
_NO_CONTENT: Final = 204
_REFUSED: Final = (403, 404)
_CLIENT_GONE: Final = 499  # nginx's number for a client that left before the answer
_NO_SNIFF: Final = (b"x-content-type-options", b"nosniff")
_NO_STORE: Final = (b"cache-control", b"no-store")


def _route_template(scope: Scope) -> str | None:
    return getattr(scope.get("route"), "path", None)


class _Body:
    """Receives a request's body: no more of it than allowed, and hashed on its way when the request is idempotent."""

    def __init__(self, scope: Scope, receive: Receive, arrived: Callable[[], None]) -> None:
        self._scope = scope
        self._receive = receive
        self._arrived = arrived
        self._total = 0
        self._hash = sha256() if has_key(scope["headers"]) else None
        if self._hash is not None:
            scope[BODY_HASH] = self._hash

    @staticmethod
    def comes_with(scope: Scope) -> bool:
        """Say whether the request has a body."""
        return any(name in {b"content-length", b"transfer-encoding"} for name, _ in scope["headers"])

    async def receive(self) -> Message:
        """Be the application's `receive`; raises the 413 problem."""
        if self._total == 0 and self._announced() > BODY_LIMIT:
            raise _too_large()
        message = await self._receive()
        piece: bytes = message.get("body", b"")
        self._total += len(piece)
        if self._total > BODY_LIMIT:
            raise _too_large()
        if self._hash is not None:
            self._hash.update(piece)
        if message["type"] == "http.request" and not message.get("more_body", False):
            self._arrived()
        return message

    def _announced(self) -> int:
        length = next((value for name, value in self._scope["headers"] if name == b"content-length"), b"")
        return int(length) if length.isdigit() else 0


class _Answer:
    """Sends an answer with what all have in their heads; `status` is 0 until the server has begun to send it.

    A head waits for its body, so that the two can go by one system call.
    """

    def __init__(self, scope: Scope, send: Send, deadlined: Deadlined, *, without_body: bool) -> None:
        self._send = send
        self._send_whole = scope.get("extensions", {}).get(WHOLE)
        self._deadlined = deadlined
        self._without_body = without_body
        self._start: Message | None = None
        self.status = 0

    async def send(self, message: Message) -> None:
        """Be the application's `send`."""
        if message["type"] == "http.response.start":
            self._deadlined.answering()
            self._start = message
            return
        if self._without_body:
            message = {**message, "body": b""}
        start, self._start = self._start, None
        if start is None or not self._sent_whole(start, message):
            if start is not None:
                await self._send(start)
            await self._send(message)
        if not message.get("more_body"):
            self._deadlined.answered()

    def _sent_whole(self, start: Message, message: Message) -> bool:
        """Complete a head, and send it with its body if this is all of it."""
        self.status = start["status"]
        headers = start["headers"] = list(start.get("headers", ()))
        names = dict(headers)
        if _NO_SNIFF[0] not in names:
            headers.append(_NO_SNIFF)
        if b"cache-control" not in names:
            headers.append(_NO_STORE)
        has_length = b"content-length" in names or self.status == _NO_CONTENT
        if not has_length or self._send_whole is None or message.get("more_body") or b"connection" in names:
            return False
        return bool(self._send_whole(self.status, headers, message.get("body", b"")))


def _allowed(scope: Scope) -> str:
    """List the methods of all routes on this path; the router itself knows the first route's only."""
    routes = (route for route in scope["app"].routes if route.matches(scope)[0] is not Match.NONE)
    methods = {method for route in routes for method in getattr(route, "methods", None) or ()}
    return ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))


def let_go(error: BaseException | None) -> None:
    """Take what was raised and answered, and what it was raised for, from the frames that it went through.

    They lead back to it. They are not emptied: where one exception ends several requests, another may go on in them.
    """
    while error is not None:
        error.__traceback__ = None
        error.__context__, error = None, error.__context__


def _too_large() -> Refusal:
    return Refusal(BODY_TOO_LARGE, headers={"connection": "close"}, limit_bytes=BODY_LIMIT)


class RequestHandling:
    """Raw ASGI around an application: everything raised inside becomes problem details here, and nowhere else.

    The application gets a scope of its own, which is emptied in the end, and so is the way of what was raised: who
    asks, the request and what sends its answer lead back to them, and would wait for the collector by thousands.
    """

    def __init__(self, app: ASGIApp, problems: Problems, *, unobserved: Collection[str] = ()) -> None:
        self._app = app
        self._unobserved = frozenset(unobserved)
        self._problems = problems

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or (scope["path"] in self._unobserved and scope["method"] in {"GET", "HEAD"}):
            await self._app(scope, receive, send)
            return
        scope = dict(scope)
        request = ServedRequest(scope["method"], scope["headers"])
        deadlined = Deadlined(scope)
        answer = _Answer(scope, send, deadlined, without_body=scope["method"] == "HEAD")
        if scope["method"] == "HEAD":  # is GET in everything but its answer's body (RFC 9110, 9.3.2)
            scope |= {"method": "GET", HEAD: True}
        has_body = _Body.comes_with(scope)
        if has_body:
            receive = _Body(scope, receive, deadlined.arrived).receive
        error: Exception | None = None
        try:
            refuse_key_on_read(scope)
            async with deadlined:
                if not has_body:
                    deadlined.arrived()
                await self._app(scope, receive, answer.send)
        except Exception as raised:
            if deadlined.client_left and isinstance(raised, TimeoutError):
                return
            error = raised
            if answer.status:
                _log.exception("answer_broken_off", extra={"route": _route_template(scope)})
                raise
            response = await self._response_to(raised, scope, is_late=deadlined.is_over)
            await response(scope, receive, answer.send)
        finally:
            status = answer.status or _CLIENT_GONE
            request.finish(_route_template(scope), status, error if status >= _SERVER_ERROR else None)
            scope.clear()
            let_go(error)
            error = None

    async def _response_to(self, error: Exception, scope: Scope, *, is_late: bool) -> Response:
        if isinstance(error, AlreadyAnswered):
            return error.response
        refusal = self._refusal_of(error, scope, is_late=is_late)
        await _record(refusal.problem, scope)
        return problem_response(refusal, language_of(scope["headers"]))

    def _refusal_of(self, error: Exception, scope: Scope, *, is_late: bool) -> Refusal:
        if isinstance(error, RequestValidationError):
            refusal = invalid(error.errors(), language_of(scope["headers"]))
        elif isinstance(error, HTTPException) and isinstance(error.__cause__, Refusal):
            refusal = error.__cause__  # FastAPI wraps what reading the body raises
        elif isinstance(error, HTTPException):
            allow = {"allow": _allowed(scope)} if error.status_code == METHOD_NOT_ALLOWED.status else error.headers
            refusal = Refusal(by_status(error.status_code), headers=allow)
        else:
            refusal = self._problems.of(error)
        if is_late and refusal.problem is UNAVAILABLE:
            refusal = Refusal(SERVICE_SLOW, service=scope["app"].service)
        status = refusal.problem.status
        if status >= _SERVER_ERROR:
            extra = {"route": _route_template(scope), "method": scope["method"], "code": refusal.problem.code}
            cause = error.__cause__ if isinstance(error, Refusal) and error.__cause__ is not None else error
            if status in PASSING:
                _log.warning("request_not_served", extra=extra, exc_info=cause)
            else:
                _log.error("request_failed", extra=extra, exc_info=cause)
        return refusal


async def _record(problem: Problem, scope: Scope) -> None:
    """Have it recorded that somebody was refused what a permission opens, or it was not for them to find."""
    caller: AuthenticatedCaller | None = scope.get(CALLER)
    record: RefusalRecorder | None = getattr(scope.get("app"), "record_refused", None)
    if caller is None or record is None or problem.status not in _REFUSED or caller.refusal_recorded:
        return
    if caller.principal.actor is not None or set(declared(scope["route"])) <= WORDS:  # helpers are recorded before
        return
    try:
        await record(caller, scope["route"], scope["app"].service, problem.code)
    except Exception:  # noqa: BLE001 - the answer is a refusal either way
        _log.exception("refusal_not_recorded", extra={"route": _route_template(scope)})
