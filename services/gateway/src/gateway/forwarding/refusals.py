"""What the gateway itself refuses, as problems, and which failure becomes which."""

from collections.abc import Mapping
from math import ceil
from typing import Final

from gateway.forwarding.failures import (
    AnswerBroken,
    AnswerTooLarge,
    BodyMisframed,
    BodyNotGzip,
    BodyTooDense,
    BodyTooLarge,
    ClientSlow,
    ConnectionLost,
    ConnectionStale,
    Crowded,
    ForwardingFailure,
    LeftOut,
    ServiceBusy,
    ServiceSlow,
    ServiceUnreachable,
    ShuttingDown,
)
from gateway.forwarding.headers import OddRequest
from webapi.problems import (
    BAD_REQUEST,
    BODY_TOO_LARGE,
    HEADERS_TOO_LARGE,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    SERVICE_SLOW,
    TARGET_TOO_LONG,
    VERSION_NOT_SUPPORTED,
    Problem,
    Refusal,
    retry_after,
)

METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))

CLIENT_SLOW: Final = Problem(408, "client_slow", "The request did not arrive in time.", "请求未能及时送达。")
CODING_NOT_SUPPORTED: Final = Problem(
    415,
    "content_coding_not_supported",
    "Content-Encoding: send the body plain, or as gzip once.",
    "Content-Encoding：请求体不得压缩，或仅以 gzip 压缩一次。",
)
BODY_NOT_GZIP: Final = Problem(
    400,
    "body_not_gzip",
    "The body is not the whole gzip that Content-Encoding announces; send it again, or plain.",
    "请求体不是 Content-Encoding 所声明的完整 gzip 数据，请重新发送，或不压缩发送。",
)
BODY_TOO_DENSE: Final = Problem(
    413,
    "body_too_dense",
    "A body may become 100 times as large out of its gzip at most; send it plain.",
    "请求体解压后不得超过压缩大小的 100 倍，请不压缩发送。",
)
CROWDED: Final = Problem(
    429,
    "too_much_waiting",
    "Too much that is sent or read slowly is waiting here; try again when some of it is done.",
    "缓慢传输、尚未完成的请求过多，请待其中一些完成后再试。",
    ("limit",),
)
EXPECTATION_FAILED: Final = Problem(
    417, "expectation_failed", "This expectation is not supported.", "不支持该预期条件。"
)
NOT_SUPPORTED: Final = Problem(501, "not_supported", "This is not supported here.", "此处不支持该功能。")
SERVICE_BROKEN: Final = Problem(
    502, "service_broken", "The service's answer could not be read.", "服务返回的内容无法读取。"
)
SERVICE_UNAVAILABLE: Final = Problem(
    503, "service_unavailable", "The service cannot be reached just now; try again.", "服务暂时无法连接,请稍后再试。"
)
SERVICE_BUSY: Final = Problem(503, "service_busy", "The service is busy; try again.", "服务繁忙,请稍后再试。")

_CLOSE: Final = {"connection": "close"}
_ODD: Final = {
    417: EXPECTATION_FAILED,
    431: HEADERS_TOO_LARGE,
    414: TARGET_TOO_LONG,
    501: NOT_SUPPORTED,
    505: VERSION_NOT_SUPPORTED,
}


def not_found() -> Refusal:
    """No service answers this path."""
    return Refusal(NOT_FOUND)


def method_not_allowed() -> Refusal:
    """The method is none that any service knows."""
    return Refusal(METHOD_NOT_ALLOWED, headers={"allow": ", ".join(sorted(METHODS)), **_CLOSE})


def odd_request(odd: OddRequest) -> Refusal:
    """The head is not understood; the connection is closed, for what follows on it may not be either."""
    return Refusal(_ODD.get(odd.status, BAD_REQUEST), headers=_CLOSE, part=str(odd))


def coding_not_supported() -> Refusal:
    """The body is in a coding that is not taken; the answer names the one that is (RFC 7694)."""
    return Refusal(CODING_NOT_SUPPORTED, headers={"accept-encoding": "gzip", **_CLOSE})


def odd_path() -> Refusal:
    """The path could be read in two ways."""
    return Refusal(BAD_REQUEST, part="path")


_FAILURES: Final[Mapping[type[ForwardingFailure], tuple[Problem, int | None, Mapping[str, str]]]] = {
    ServiceUnreachable: (SERVICE_UNAVAILABLE, 5, {}),
    ShuttingDown: (SERVICE_UNAVAILABLE, 1, {}),
    LeftOut: (SERVICE_UNAVAILABLE, 1, {}),
    ServiceBusy: (SERVICE_BUSY, 1, {}),
    ServiceSlow: (SERVICE_SLOW, 2, {}),
    AnswerBroken: (SERVICE_BROKEN, None, {}),
    AnswerTooLarge: (SERVICE_BROKEN, None, {}),
    ConnectionLost: (SERVICE_BROKEN, None, {}),
    ConnectionStale: (SERVICE_BROKEN, None, {}),
    ClientSlow: (CLIENT_SLOW, None, _CLOSE),
    Crowded: (CROWDED, 5, _CLOSE),
    BodyTooLarge: (BODY_TOO_LARGE, None, _CLOSE),
    BodyNotGzip: (BODY_NOT_GZIP, None, _CLOSE),
    BodyTooDense: (BODY_TOO_DENSE, None, _CLOSE),
    BodyMisframed: (BAD_REQUEST, None, _CLOSE),
}
"""What the client is told, and after how many seconds it may ask again."""


def of_failure(failure: ForwardingFailure, service: str) -> Refusal:
    """Give what the client is told when an exchange failed before its answer began; 5xx name the service."""
    problem, wait, headers = _FAILURES[type(failure)]
    if isinstance(failure, LeftOut):
        wait = max(1, ceil(failure.seconds))
    if wait is not None:
        headers = {"retry-after": retry_after(wait), **headers}
    if problem.status >= 500:
        return Refusal(problem, headers=headers, service=service)
    if isinstance(failure, Crowded):
        return Refusal(problem, headers=headers, limit=str(failure))
    return Refusal(problem, headers=headers)
