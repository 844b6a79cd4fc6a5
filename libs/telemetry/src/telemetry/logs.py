"""Structured logs: one JSON object a line on stderr; an event's name, ids and numbers, and never a person's words."""

import logging
import sys
import threading
import warnings
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final

import orjson
from opentelemetry.trace import format_span_id, format_trace_id, get_current_span

from telemetry.privacy import Withheld, describe_error, public_fields, public_value

_log = logging.getLogger(__name__)

_STANDARD: Final = frozenset(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {
    "message", "asctime", "taskName", "color_message", "is_literal",
}  # fmt: skip
_RESERVED: Final = frozenset({
    "ts", "level", "event", "service", "logger", "at", "trace_id", "span_id", "error_detail", "args",
})  # fmt: skip
_QUIET: Final = ("uvicorn.error", "sqlalchemy", "httpx", "httpcore", "asyncio", "alembic", "urllib3", "opentelemetry")
_FARTHEST_CALLER: Final = 12


def _is_literal(message: object, file: str, line: int) -> bool:
    """Say whether the logging code contains `message` word for word: such a text is a programmer's, not a person's."""
    frame = sys._getframe(2)  # noqa: SLF001 - as logging itself finds its caller
    for _ in range(_FARTHEST_CALLER):
        if frame.f_lineno == line and frame.f_code.co_filename == file:
            return isinstance(message, str) and message in frame.f_code.co_consts
        if frame.f_back is None:
            break
        frame = frame.f_back
    return False


def _make_record(name: str, level: int, file: str, line: int, message: object, *rest: Any) -> logging.LogRecord:
    record = logging.LogRecord(name, level, file, line, message, *rest)
    record.is_literal = _is_literal(message, file, line)
    return record


def _public_arguments(arguments: object) -> list[Any]:
    """Show the arguments of another library's sentence as far as they are numbers or ids."""
    shown: list[Any] = []
    for argument in arguments if isinstance(arguments, tuple) else ():
        try:
            shown.append(public_value("argument", argument))
        except Withheld:
            shown.append("withheld")
    return shown


class JsonLines(logging.Formatter):
    """Writes a record as a line of JSON: `ts`, `level`, `event`, `service`, `logger`, trace and span id, extras, error.

    `event` is the record's message when the logging code holds it literally; a sentence put together at run time is
    withheld, its place in the code remains in `at`. Arguments and extras pass `privacy.public_value`, exceptions are
    told by type and place, never by their message.
    """

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Give the line, without its line feed."""
        literal = getattr(record, "is_literal", False)
        line: dict[str, Any] = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.msg if literal else "text_withheld",
            "service": self._service,
            "logger": record.name,
        }
        if not literal or record.levelno >= logging.ERROR:
            line["at"] = f"{record.module}:{record.lineno}"
        context = get_current_span().get_span_context()
        if context.is_valid:
            line["trace_id"] = format_trace_id(context.trace_id)
            line["span_id"] = format_span_id(context.span_id)
        if record.args:
            line["args"] = _public_arguments(record.args)
        extras = {key: value for key, value in record.__dict__.items() if key not in _STANDARD and key not in _RESERVED}
        if extras:
            line.update(public_fields(extras))
        if record.exc_info and record.exc_info[1] is not None:
            line["error_detail"] = describe_error(record.exc_info[1])
        return orjson.dumps(line).decode()


def _on_uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    _log.critical("uncaught_exception", exc_info=(kind, error, traceback))


def _on_uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
        _log.critical("uncaught_exception_in_thread", exc_info=args.exc_value)


def _on_unraisable(args: "sys.UnraisableHookArgs") -> None:
    _log.error("exception_ignored", exc_info=args.exc_value)


def _on_warning(_message: Warning | str, category: type[Warning], file: str, line: int, *_rest: object) -> None:
    _log.warning("python_warning", extra={"warning_type": category, "code": f"{file.rsplit('/', 1)[-1]}:{line}"})


def configure_logs(service: str, level: str) -> None:
    """Make every log record, uncaught exception and warning of this process a line of JSON on stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines(service))
    logging.setLogRecordFactory(_make_record)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(root.level, logging.WARNING))
    access = logging.getLogger("uvicorn.access")
    access.handlers.clear()
    access.propagate = False
    sys.excepthook = _on_uncaught
    sys.unraisablehook = _on_unraisable
    threading.excepthook = _on_uncaught_in_thread
    warnings.showwarning = _on_warning  # type: ignore[assignment] # its parameters are only passed by position
