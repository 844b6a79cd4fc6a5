"""Which headers may pass between client and service, how a head is understood, and how it is written."""

import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from gateway.edge.deadlines import PREFER, wait_in
from gateway.forwarding.failures import AnswerBroken
from gateway.forwarding.limits import LARGEST_HEAD, LONGEST_TARGET, MOST_HEADERS

Headers = list[tuple[bytes, bytes]]

KNOWN_NAMES: Final = 1024  # decisions remembered; names beyond are decided anew: a stranger cannot fill the memory
_NAME: Final = re.compile(rb"[a-z0-9][a-z0-9-]*")  # "_" and "." are folded into "-" by some, and so into our own names


def _names(*names: str) -> frozenset[bytes]:
    return frozenset(name.encode("ascii") for name in " ".join(names).split())


HOP_BY_HOP: Final = _names(
    "connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding",
    "upgrade http2-settings",
)
_SET_BY_THE_GATEWAY: Final = _names(
    "host via forwarded x-real-ip x-request-id x-correlation-id content-length expect traceparent tracestate baggage",
    "b3 cookie x-original-url x-original-method x-rewrite-url x-client-ip x-cluster-client-ip true-client-ip",
    "accept-encoding cf-connecting-ip x-http-method x-http-method-override x-method-override",
)
_NOT_FOR_CLIENTS: Final = _names(
    "content-length server date via alt-svc x-request-id x-powered-by x-sendfile traceparent tracestate baggage"
)
_INTERNAL_PREFIXES: Final = (b"x-xiangqiao-", b"x-forwarded-", b"x-b3-", b"x-envoy-", b"x-accel-", b"proxy-")
_ONCE: Final = _names("host content-length transfer-encoding authorization content-type expect idempotency-key")
_LOOKED_AT: Final = _ONCE | {PREFER}
END_TO_END: Final = _ONCE | _names("content-encoding cookie if-match if-none-match range accept origin")
"""Headers whose removal would change what a request means: naming one in Connection is refused."""


class _Passing(dict[bytes, bytes | None]):
    """Lower-case header name -> b"name: " when it may pass, else None."""

    def __init__(self, passes: Callable[[bytes], bool]) -> None:
        super().__init__()
        self._passes = passes

    def __missing__(self, name: bytes) -> bytes | None:
        prefix = name + b": " if _NAME.fullmatch(name) is not None and self._passes(name) else None
        if len(self) < KNOWN_NAMES:
            self[name] = prefix
        return prefix


def _is_end_to_end(name: bytes) -> bool:
    return name not in HOP_BY_HOP and not name.startswith(_INTERNAL_PREFIXES)


_TO_SERVICE: Final = _Passing(lambda name: _is_end_to_end(name) and name not in _SET_BY_THE_GATEWAY)
_TO_SIGN_IN: Final = _Passing(lambda name: name == b"cookie" or _TO_SERVICE[name] is not None)
_TO_CLIENT: Final = _Passing(lambda name: _is_end_to_end(name) and name not in _NOT_FOR_CLIENTS)


class OddRequest(Exception):
    """A request whose head the gateway does not understand well enough to pass it on; the argument names the part."""

    def __init__(self, part: str, status: int = 400) -> None:
        super().__init__(part)
        self.status = status


class RequestHead(NamedTuple):
    """What the gateway understood of a client's head: header lines to pass on, and how the body is framed.

    `keyed` by an Idempotency-Key it may be sent twice; its client would `wait` so many seconds, if it says.
    """

    lines: list[bytes]
    length: int | None
    chunked: bool
    keyed: bool = False
    wait: float | None = None

    @property
    def has_body(self) -> bool:
        """Whether the client announced a body of at least one byte, or one of unknown length."""
        return self.chunked or bool(self.length)


def check_sizes(target: bytes, headers: Sequence[tuple[bytes, bytes]]) -> None:
    """Refuse a target (path and query) or a list of headers that is too long, with 414 or 431."""
    if len(target) > LONGEST_TARGET:
        raise OddRequest("target", 414)
    if len(headers) > MOST_HEADERS:
        raise OddRequest("headers", 431)


def read_request(method: str, http_version: str, headers: Headers, *, cookies: bool = False) -> RequestHead:
    """Choose the header lines that go on and check the framing; names are lower case, as ASGI gives them.

    Raises OddRequest: 400 where two readers could disagree about the message (RFC 9112 §6.3, §11.2); 417, 501 and 505
    for what is clear but not supported.
    """
    lines: list[bytes] = []
    once: dict[bytes, bytes] = {}
    connection = b""
    wait: float | None = None
    passing = _TO_SIGN_IN if cookies else _TO_SERVICE
    for name, value in headers:
        if name in _LOOKED_AT:
            if name == PREFER:
                wait = wait_in(value) if wait is None else wait
            elif name in once:
                raise OddRequest(name.decode("ascii"))
            else:
                once[name] = value
        prefix = passing[name]
        if prefix is not None:
            lines += (prefix, value, b"\r\n")
        elif name == b"connection":
            connection += b"," + value.lower()
    if http_version not in {"1.1", "1.0"}:
        raise OddRequest("version", 505)
    if http_version == "1.1" and b"host" not in once:
        raise OddRequest("host")
    length, chunked = _read_framing(method, http_version, once)
    head = RequestHead(lines, length, chunked, b"idempotency-key" in once, wait)
    if connection and connection not in {b",keep-alive", b",close"}:
        return _without_named(head, connection, headers)
    return head


def _read_framing(method: str, http_version: str, once: dict[bytes, bytes]) -> tuple[int | None, bool]:
    if b"expect" in once and once[b"expect"].lower() != b"100-continue":
        raise OddRequest("expect", 417)
    announced, coding = once.get(b"content-length"), once.get(b"transfer-encoding")
    if announced is None and coding is None:
        return None, False
    if coding is not None:
        if announced is not None or http_version == "1.0":
            raise OddRequest("transfer-encoding")
        if coding.lower() != b"chunked":
            raise OddRequest("transfer-encoding", 501)
    elif announced is not None and (not announced.isdigit() or len(announced) > 15):
        raise OddRequest("content-length")
    length = None if announced is None else int(announced)
    if method in {"GET", "HEAD"} and length != 0:
        raise OddRequest("body")
    return length, coding is not None


def _without_named(head: RequestHead, connection: bytes, headers: Headers) -> RequestHead:
    """Take out what Connection names: it was meant for the gateway alone (RFC 9110 §7.6.1)."""
    named = {token.strip() for token in connection.split(b",")}
    if named & END_TO_END:
        raise OddRequest("connection")
    if b"upgrade" in named:
        if any(name == b"upgrade" and b"websocket" in value.lower() for name, value in headers):
            raise OddRequest("upgrade", 501)
        if head.has_body:
            raise OddRequest("upgrade")  # the parser takes what follows such a head for the other protocol
    lines = head.lines
    kept: list[bytes] = []
    for start in range(0, len(lines), 3):
        if lines[start][:-2] not in named:
            kept += lines[start : start + 3]
    return head._replace(lines=kept)


def write_head(method: bytes, target: bytes, head: RequestHead, own: bytes) -> bytes:
    """Give a request's head but for the blank line; `own` are the gateway's header lines, each ended by CRLF.

    Raises OddRequest when a value would have broken out of its line, or the head is too large (431).
    """
    lines = head.lines
    if head.chunked:
        framing = b"transfer-encoding: chunked\r\n"
    elif head.length is not None and method not in {b"GET", b"HEAD"}:
        framing = b"content-length: %d\r\n" % head.length
    else:
        framing = b""
    data = b"".join((method, b" ", target, b" HTTP/1.1\r\n", own, framing, *lines))
    told = b"".join((target, *lines[1::3]))
    if b"\n" in told or b"\r" in told or b"\0" in told:
        raise OddRequest("headers")
    if len(data) > LARGEST_HEAD:
        raise OddRequest("headers", 431)
    return data


class Answer(NamedTuple):
    """The head of a service's answer as the client may see it."""

    status: int
    headers: Headers
    without_body: bool
    until_close: bool
    """The body ends with the connection, as in HTTP/1.0."""
    length: int | None
    bytes_in_head: int


def read_answer(method: bytes, status: int, headers: Headers) -> Answer:
    """Choose the headers of an answer that go on to the client; raises AnswerBroken for what is not understood."""
    if not 200 <= status <= 599:
        raise AnswerBroken("status")
    passed: Headers = []
    stayed: Headers = []
    size = 0
    for raw_name, value in headers:
        name = raw_name.lower()
        size += len(name) + len(value) + 4
        (passed if _TO_CLIENT[name] is not None else stayed).append((name, value))
    length, chunked, connection = _read_answer_framing(stayed)
    if connection and connection not in {b",keep-alive", b",close"}:
        named = {token.strip() for token in connection.split(b",")}
        passed = [header for header in passed if header[0] not in named]
    has_no_content = status in {204, 304}
    without_body = has_no_content or method == b"HEAD"
    if length is not None and not has_no_content:  # uvicorn would wait for a 304's body of that length
        passed.append((b"content-length", b"%d" % length))
    until_close = not without_body and length is None and not chunked
    return Answer(status, passed, without_body, until_close, length, size)


def _read_answer_framing(headers: Headers) -> tuple[int | None, bool, bytes]:
    length: int | None = None
    chunked = False
    connection = b""
    for name, value in headers:
        if name == b"content-length":
            if length is not None or not value.isdigit() or len(value) > 15:
                raise AnswerBroken("content-length")
            length = int(value)
        elif name == b"transfer-encoding":
            if chunked or value.lower() != b"chunked":
                raise AnswerBroken("transfer-encoding")
            chunked = True
        elif name == b"connection":
            connection += b"," + value.lower()
    if chunked and length is not None:
        raise AnswerBroken("framing")
    return length, chunked, connection
