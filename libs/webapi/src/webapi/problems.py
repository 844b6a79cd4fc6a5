"""Problem details (RFC 9457): what a refusal looks like, and which exception becomes which problem."""

import socket
from collections.abc import Mapping
from random import randrange
from typing import Any, Final, NamedTuple

import asyncpg
import orjson
import sqlalchemy.exc
from starlette.responses import Response

import telemetry

PROBLEM_JSON: Final = "application/problem+json"
RETRY_AFTER_SECONDS: Final = 2
RETRY_AFTER: Final = "retry_after_seconds"
"""The member of a problem whose value becomes the header Retry-After, too."""


class _Problem(NamedTuple):
    status: int
    code: str
    title_en: str
    title_zh: str
    members: tuple[str, ...] = ()


class Problem(_Problem):
    """A kind of refusal: HTTP status, stable code (its `type` is `/problems/<code>`), title in English and in Chinese.

    `members` names attributes of the exception that are shown as extension members, so an exception tells nothing by
    accident; their values must be JSON or have a plain string form (ids, dates). An exception that has the texts `en`
    and `zh` explains itself in the problem's `detail`. Each is `KNOWN` from when it is made.
    """

    __slots__ = ()

    def __new__(cls, status: int, code: str, title_en: str, title_zh: str, members: tuple[str, ...] = ()) -> "Problem":
        """Make one, known to whoever tells of all there are."""
        made = super().__new__(cls, status, code, title_en, title_zh, members)
        KNOWN.setdefault(made.code, made)
        return made


KNOWN: Final[dict[str, Problem]] = {}
"""Every problem of this process by its code: what modules say at their top, whether a table names it or a route."""


class Refusal(Exception):
    """A request is refused for a reason of the protocol; errors of the domain have exceptions of their own.

    `members` become extension members of the problem, `headers` are added to the answer, `detail` holds a sentence on
    this very case in English and in Chinese.
    """

    def __init__(
        self,
        problem: Problem,
        *,
        headers: Mapping[str, str] | None = None,
        detail: tuple[str, str] | None = None,
        **members: object,
    ) -> None:
        super().__init__(problem.code)
        self.problem = problem
        self.headers = dict(headers or {})
        self.detail = detail
        self.members = members


BAD_REQUEST: Final = Problem(400, "bad_request", "The request cannot be read.", "无法读取该请求。")
TARGET_TOO_LONG: Final = Problem(414, "target_too_long", "The address is too long.", "请求地址过长。")
HEADERS_TOO_LARGE: Final = Problem(431, "headers_too_large", "The request's headers are too large.", "请求头过大。")
VERSION_NOT_SUPPORTED: Final = Problem(505, "version_not_supported", "Use HTTP/1.1.", "请使用 HTTP/1.1。")
NOT_FOR_READS: Final = Problem(
    400,
    "not_for_reads",
    "A read takes no Idempotency-Key: send it again without.",
    "读取请求不使用幂等键，请去掉后重新发送。",
)
UNAUTHENTICATED: Final = Problem(401, "unauthenticated", "Sign in first.", "请先登录。")
TOKEN_INVALID: Final = Problem(401, "token_invalid", "The access token is not valid.", "访问令牌无效。")
STEP_UP_REQUIRED: Final = Problem(
    401,
    "step_up_required",
    "Prove once more, or more strongly, who you are.",
    "请重新验证身份，或使用更强的方式验证。",
)
PERMISSION_MISSING: Final = Problem(403, "permission_missing", "You lack the permission for this.", "您没有此项权限。")
SCOPE_MISSING: Final = Problem(
    403, "scope_missing", "This application lacks the scope for this.", "该应用没有获得此项权限范围。"
)
NOT_ASSISTABLE: Final = Problem(
    403,
    "not_assistable",
    "The assisted session does not cover this; the person does it themselves.",
    "协助会话不包括此项操作，须由本人办理。",
)
NOT_A_PERSON: Final = Problem(
    403,
    "not_a_person",
    "This is for people; the token is a client's own.",
    "此操作仅限本人，客户端自身的令牌不能使用。",
)
NOT_FOUND: Final = Problem(404, "not_found", "There is no such thing.", "未找到。")
METHOD_NOT_ALLOWED: Final = Problem(405, "method_not_allowed", "This cannot be done here.", "不支持此操作。")
VERSION_PAST: Final = Problem(
    412, "version_past", "It was changed meanwhile: read it again.", "内容已被更改，请重新读取后再提交。"
)
VERSION_REQUIRED: Final = Problem(
    428, "version_required", "Say in If-Match which version you change.", "请用 If-Match 说明所更改的版本。"
)
BODY_TOO_LARGE: Final = Problem(413, "body_too_large", "The request is too large.", "请求内容过大。", ("limit_bytes",))
INVALID: Final = Problem(422, "invalid", "Some of what was sent is not valid.", "提交的内容有误。")
CURSOR_INVALID: Final = Problem(
    422, "cursor_invalid", "The cursor is not valid; start again.", "分页游标无效,请重新开始。"
)
TEXT_INVALID: Final = Problem(
    422, "text_invalid", "A text holds a character that cannot be kept.", "文本含有无法保存的字符。"
)
KEY_INVALID: Final = Problem(
    422,
    "idempotency_key_invalid",
    "Idempotency-Key: 1 to 200 printable ASCII characters.",
    "幂等键须为 1 至 200 个可见 ASCII 字符。",
)
KEY_REUSED: Final = Problem(
    422, "idempotency_key_reused", "This Idempotency-Key belongs to another request.", "该幂等键已用于另一请求。"
)
ANSWER_NOT_KEPT: Final = Problem(
    409,
    "answer_not_kept",
    "This was done, but its answer is not kept: a secret is shown once. See how things stand, or ask for a new one.",
    "此操作已完成，但答复未予保存：密钥类内容只显示一次。请查看当前状态，或重新申请。",
)
INTERNAL: Final = Problem(500, "internal", "Something went wrong on our side.", "系统内部错误。")
UNAVAILABLE: Final = Problem(
    503, "unavailable", "The service is not available just now; try again.", "服务暂不可用,请稍后再试。"
)
SERVICE_SLOW: Final = Problem(504, "service_slow", "The service did not answer in time.", "服务未能及时响应。")
PASSING: Final = frozenset({UNAVAILABLE.status, SERVICE_SLOW.status})
"""Statuses of what passes by itself: the answer says when to ask again."""
REVOCATIONS_UNKNOWN: Final = Problem(
    503,
    "revocations_unknown",
    "The service has just started and cannot tell yet whether this token was ended; try again, or with a new token.",
    "服务刚刚启动，暂时无法确认该令牌是否已被注销；请稍后再试，或换用新的令牌。",
)

_BY_STATUS: Final = {
    problem.status: problem for problem in (BAD_REQUEST, UNAUTHENTICATED, NOT_FOUND, METHOD_NOT_ALLOWED, INVALID)
}
# SQL states that pass by themselves: no connection, not let in, out of connections, shut down, cancelled,
# serialization, deadlock, a transaction that lasted too long.
_PASSING_STATES: Final = ("08", "28", "3D000", "53300", "57P", "57014", "40001", "40P01", "25P03", "25P04")
_TEXT_STATES: Final = ("22021", "22P05")  # U+0000, which JSON allows and PostgreSQL does not


def _is_passing(error: BaseException) -> bool:
    """Say whether `error` means that a server behind us is away or busy, so that the same request may succeed later."""
    if isinstance(error, sqlalchemy.exc.DBAPIError):
        return error.connection_invalidated or (error.orig is not None and _is_passing(error.orig))
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str):
        return state.startswith(_PASSING_STATES)
    if isinstance(error, asyncpg.InternalClientError) or isinstance(error.__cause__, asyncpg.InternalClientError):
        return True  # the server has just said that it ends, and the driver is between that and its end
    if isinstance(error, asyncpg.InterfaceError):  # also raised for a wrong use of the driver, which never passes
        return "closed" in str(error)
    return isinstance(error, sqlalchemy.exc.TimeoutError | TimeoutError | ConnectionError | socket.gaierror)


class Problems:
    """The one table of an application from exceptions to problems; subclasses follow the nearest base class in it."""

    def __init__(self, table: Mapping[type[Exception], Problem]) -> None:
        self._table = dict(table)

    def __iter__(self) -> Any:
        """Go through the problems of the domain."""
        return iter(self._table.values())

    def of(self, error: Exception) -> Refusal:
        """Give the refusal that tells `error` to the client; `internal` when nobody foresaw it."""
        if isinstance(error, Refusal):
            return error
        for kind in type(error).__mro__:
            problem = self._table.get(kind)
            if problem is not None:
                english, chinese = getattr(error, "en", None), getattr(error, "zh", None)
                detail = (english, chinese) if isinstance(english, str) and isinstance(chinese, str) else None
                members = {name: getattr(error, name) for name in problem.members}
                wait = members.get(RETRY_AFTER)
                headers = {"retry-after": str(wait)} if wait is not None else None
                return Refusal(problem, headers=headers, detail=detail, **members)
        driver_error = getattr(error, "orig", None) or error
        if getattr(driver_error, "sqlstate", None) in _TEXT_STATES:
            return Refusal(TEXT_INVALID)
        return Refusal(UNAVAILABLE if _is_passing(error) else INTERNAL)


def retry_after(seconds: int) -> str:
    """Give a Retry-After of so many seconds and by chance up to half as many more: nobody comes back all together."""
    return str(seconds + randrange(seconds // 2 + 2))  # noqa: S311 - no secret


def by_status(status: int) -> Problem:
    """Give the general problem for an HTTP status that a library of ours answered with."""
    return _BY_STATUS.get(status) or Problem(status, f"http_{status}", "The request is refused.", "请求被拒绝。")


def problem_response(refusal: Refusal, language: str, trace_id: str | None = None) -> Response:
    """Render a refusal as `application/problem+json` in `language` ("zh" or "en")."""
    problem = refusal.problem
    trace_id = trace_id or telemetry.trace_id()
    content: dict[str, object] = {
        "type": f"/problems/{problem.code}",
        "title": problem.title_en if language == "en" else problem.title_zh,
        "status": problem.status,
    }
    if refusal.detail is not None:
        content["detail"] = refusal.detail[0 if language == "en" else 1]
    if trace_id is not None:
        content["instance"] = f"/traces/{trace_id}"
        content["trace_id"] = trace_id
    content.update({key: value for key, value in refusal.members.items() if key not in content})
    headers = {
        "content-language": "en" if language == "en" else "zh-CN",
        "vary": "accept-language",
        "x-content-type-options": "nosniff",
        **refusal.headers,
    }
    if problem.status in PASSING:
        headers.setdefault("retry-after", retry_after(RETRY_AFTER_SECONDS))
    return Response(orjson.dumps(content, default=str), problem.status, headers, PROBLEM_JSON)
