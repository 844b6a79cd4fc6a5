"""What a log line may carry: ids, numbers, times, codes. All else is withheld, so that no person's data gets out."""

import enum
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Final
from uuid import UUID

LARGEST_NUMBER: Final = 10**10  # a mobile number has eleven digits, an ID number eighteen: neither passes as a number
LONGEST_LIST: Final = 50
DEEPEST_CAUSE: Final = 5
MOST_FRAMES: Final = 12

# Under these keys, and under keys that end in one of `_CODE_SUFFIXES`, a string that looks like a code may stand.
_CODE_KEYS: Final = frozenset({
    "acr", "aggregate", "algorithm", "check", "code", "constraint", "consumer", "durable", "error", "event_type",
    "handler", "host", "job", "kind", "lease", "listener", "method", "mode", "operation", "outcome", "part",
    "permission", "queue", "reason", "revision", "role", "route", "rule", "service", "shard", "signal", "sqlstate",
    "stage", "state", "status", "stream", "subject", "table", "traceparent", "version", "worker",
})  # fmt: skip
_CODE_SUFFIXES: Final = ("_id", "_ids", "_type", "_types", "_code", "_kind", "_state", "_reason", "_version")
# A key with one of these words is withheld whatever its value is.
_PERSONAL_WORDS: Final = frozenset({
    "address", "answer", "authorization", "birth", "birthday", "body", "born", "comment", "content", "cookie",
    "credential", "description", "email", "gender", "idcard", "ip", "latitude", "location", "longitude", "mobile",
    "name", "nation", "note", "params", "parameters", "password", "phone", "query", "remark", "secret", "sex", "sql",
    "surname", "tel", "text", "title", "token", "url",
})  # fmt: skip
_ERROR_FACTS: Final = ("sqlstate", "table_name", "column_name", "constraint_name", "errno", "err_code")
_KEY: Final = re.compile(r"[a-z][a-z0-9_]{0,59}")
_CODE: Final = re.compile(r"[A-Za-z0-9_*>$/{][A-Za-z0-9_.:/{}+*>$-]{0,199}")
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_LONG_NUMBER: Final = re.compile(r"\d{11}")


class Withheld(Exception):
    """A value may not leave the process, because nothing proves that it is not a person's."""


def is_code(text: str) -> bool:
    """Say whether `text` looks like a code or an id: ASCII, no blanks, at most 200 characters, no run of 11 digits."""
    return bool(_CODE.fullmatch(text)) and not _LONG_NUMBER.search(_UUID.sub("", text))


def _is_public(key: str, text: str) -> bool:
    return bool(_UUID.fullmatch(text)) or ((key in _CODE_KEYS or key.endswith(_CODE_SUFFIXES)) and is_code(text))


def public_value(key: str, value: object) -> Any:  # noqa: C901 - one flat table of types
    """Give the JSON form of `value` under `key` (snake case), or raise `Withheld`.

    Passed on: null, booleans, numbers below 10^10, UUIDs, enumeration members, aware times, durations (as seconds),
    classes (by name), strings that look like codes under keys made for codes, and lists of up to 50 of these.
    """
    if not _KEY.fullmatch(key) or not _PERSONAL_WORDS.isdisjoint(key.split("_")):
        raise Withheld(key)
    shown: Any
    match value:
        case enum.Enum():
            shown = value.name
        case None | bool() | float():
            shown = value
        case int() if abs(value) < LARGEST_NUMBER:
            shown = value
        case str() if _is_public(key, value):
            shown = value
        case UUID():
            shown = str(value)
        case datetime() if value.tzinfo is not None:
            shown = value.isoformat()
        case timedelta():
            shown = value.total_seconds()
        case type():
            shown = value.__qualname__
        case list() | tuple() | set() | frozenset() if len(value) <= LONGEST_LIST:
            shown = [public_value(key, item) for item in value]
        case _:
            raise Withheld(key)
    return shown


def public_fields(fields: Mapping[str, object]) -> dict[str, Any]:
    """Give what may be shown of `fields`, and under `withheld` the names of the others."""
    shown: dict[str, Any] = {}
    withheld: list[str] = []
    for key, value in fields.items():
        try:
            shown[key] = public_value(key, value)
        except Withheld:
            withheld.append(key if _KEY.fullmatch(key) else "?")
    if withheld:
        shown["withheld"] = withheld
    return shown


def _frames(traceback: TracebackType | None) -> list[str]:
    places = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        file = "/".join(code.co_filename.rsplit("/", 2)[-2:])
        places.append(f"{file}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return places[-MOST_FRAMES:]


def describe_error(error: BaseException, depth: int = DEEPEST_CAUSE) -> dict[str, Any]:
    """Say what `error` is without its message, which may hold a row's values.

    Gives `type`, `at` (places, outermost first), its `cause`, and if present `sqlstate`, `errno`, JetStream's
    `err_code`, and the names of the table, column and constraint that PostgreSQL tells.
    """
    kind = type(error)
    described: dict[str, Any] = {"type": f"{kind.__module__}.{kind.__qualname__}", "at": _frames(error.__traceback__)}
    for attribute in _ERROR_FACTS:
        value = getattr(error, attribute, None)
        if isinstance(value, int) or (isinstance(value, str) and is_code(value)):
            described[attribute] = value
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and depth > 0:
        described["cause"] = describe_error(cause, depth - 1)
    if isinstance(error, BaseExceptionGroup) and depth > 0:
        described["errors"] = [describe_error(each, depth - 1) for each in error.exceptions[:LONGEST_LIST]]
    return described
