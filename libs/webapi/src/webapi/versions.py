"""Versions of what is answered: each answer has its own as ETag, and a write may demand with If-Match that it holds."""

import re
from collections.abc import Iterable
from typing import Annotated, Any, Final, NamedTuple

from fastapi import Depends, Header
from starlette.requests import Request

from webapi.problems import VERSION_PAST, VERSION_REQUIRED, Refusal
from webapi.validation import worded

_TAG: Final = r'(W/)?"[!#-~\x80-\xff]*"'
_TAGS: Final = worded(
    rf"^[ \t,]*(\*|{_TAG}([ \t]*,([ \t]*{_TAG})?)*)[ \t]*$",
    en='This must be * or ETags as they were answered, in their quotation marks: "3".',
    zh='应为 * 或答复中的 ETag，须带引号，如 "3"。',
)
_EACH: Final = re.compile(_TAG)


class Tags(NamedTuple):
    """What a request names by entity tags, as they were written: these, or `anything` that there is (`*`)."""

    named: frozenset[str]
    anything: bool = False

    def has(self, tag: str) -> bool:
        """Compare strongly (RFC 9110, section 8.8.3.2), as If-Match does: a weak tag is none of them."""
        return self.anything or tag in self.named

    def has_weakly(self, tag: str) -> bool:
        """Compare weakly, as If-None-Match does."""
        return self.anything or bool({tag, f"W/{tag}"} & self.named)


def tags_in(lines: Iterable[str]) -> Tags | None:
    """Read the lines of If-Match or If-None-Match; None without any. What is no entity tag names nothing."""
    together = ",".join(lines).strip(" \t,")
    if not together:
        return None
    return Tags(frozenset(tag[0] for tag in _EACH.finditer(together)), anything=together == "*")


class Expected(NamedTuple):
    """What a write expects to find: one of these ETags; whatever there is, where they are None."""

    tags: Tags | None = None

    def require(self, version: int) -> None:
        """Raise the 412 problem, which tells the present version, unless it is one that is expected."""
        if self.tags is not None and not self.tags.has(etag(version)):
            raise Refusal(VERSION_PAST, headers={"etag": etag(version)}, version=version)

    def require_said(self, *, otherwise: object = None) -> None:
        """Raise the 428 problem unless the request says what it expects, in If-Match or `otherwise`."""
        if self.tags is None and otherwise is None:
            raise Refusal(VERSION_REQUIRED)


ANYTHING: Final = Expected()


def etag(version: int) -> str:
    """Write a version as a strong entity tag (RFC 9110, section 8.8.3)."""
    return f'"{version}"'


def _header(name: str, description: str) -> Any:
    return Header(alias=name, max_length=200, pattern=_TAGS, description=description)


async def _expected(
    request: Request,
    _: Annotated[
        str | None,
        _header(
            "If-Match", "The ETag of what was read: 412 `version_past` if it was changed since (RFC 9110, 13.1.1)."
        ),
    ] = None,
) -> Expected:
    return Expected(tags_in(request.headers.getlist("if-match")))


async def _known(
    request: Request,
    _: Annotated[
        str | None,
        _header("if-none-match", "The ETag of what is at hand: 304 if it is still that (RFC 9110, 13.1.2)."),
    ] = None,
) -> Tags | None:
    return tags_in(request.headers.getlist("if-none-match"))


IfMatch = Annotated[Expected, Depends(_expected)]
"""What a client expects the thing to be that it changes, as a parameter of a route."""
IfNoneMatch = Annotated[Tags | None, Depends(_known)]
"""What a client has of the thing that it reads, as a parameter of a route."""
