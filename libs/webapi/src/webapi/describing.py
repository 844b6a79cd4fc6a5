"""What an operation is called in Chinese and English, with an example of its body: declared at its route."""

from collections.abc import Iterable
from datetime import date
from typing import Any, Final

from fastapi.routing import APIRoute

SINCE: Final = "x-deprecated-since"
SUNSET: Final = "x-sunset"


class Undescribed(Exception):
    """An operation of the document does not say what it is in both languages, or gives no example of its body."""


def described(zh: str, en: str, *, example: Any = None) -> dict[str, Any]:
    """Name an operation in a few words of both languages: `openapi_extra=access("self") | described("…", "…")`.

    `example` is a good JSON body, for an operation that takes one. The docstring of the route says more, in English.
    Raises `ValueError` for words of the other language.
    """
    if not any("\u4e00" <= sign <= "\u9fff" for sign in zh) or not en.isascii():
        raise ValueError(f"not Chinese and English: {zh!r}, {en!r}")
    body = {} if example is None else {"requestBody": {"content": {"application/json": {"example": example}}}}
    return {"summary": f"{zh} — {en}", **body}


def deprecated(*, since: date, sunset: date) -> dict[str, Any]:
    """Declare that nothing new uses an operation from one day on, and that it may be gone from another.

    The door says so in each answer, by the headers of RFC 9745 and RFC 8594. Raises `ValueError`.
    """
    if sunset <= since:
        raise ValueError("an operation is deprecated before it goes")
    return {"deprecated": True, SINCE: since.isoformat(), SUNSET: sunset.isoformat()}


def require_described(routes: Iterable[APIRoute]) -> None:
    """Raise `Undescribed` unless every documented route has its words, and an example if it takes a body."""
    for route in routes:
        if not route.include_in_schema:
            continue
        extra = route.openapi_extra or {}
        if "summary" not in extra or (route.body_field is not None and "requestBody" not in extra):
            raise Undescribed(
                f"{route.name} ({route.path_format}) is not described: add | described(zh, en, example=...) to the "
                "openapi_extra of its decorator, see webapi/describing.py"
            )
