"""Versions of what is answered: each answer has its own as ETag, and a write may demand with If-Match that it holds."""

import re
from typing import Annotated, Final, NamedTuple

from fastapi import Depends, Header

from webapi.problems import VERSION_PAST, VERSION_REQUIRED, Refusal
from webapi.validation import worded

_TAGS: Final = worded(
    r'^(\*|(W/)?"[!#-~]*"([ \t]*,[ \t]*(W/)?"[!#-~]*")*)$',
    en='This must be * or ETags as they were answered, in their quotation marks: "3".',
    zh='应为 * 或答复中的 ETag，须带引号，如 "3"。',
)
_STRONG: Final = re.compile(r'(W/)?"([^"]*)"')


class Expected(NamedTuple):
    """What a write expects to find: one of these ETags; anything, where they are None."""

    tags: frozenset[str] | None = None

    def require(self, version: int) -> None:
        """Raise the 412 problem, which tells the present version, unless it is one that is expected."""
        if self.tags is not None and not {"*", str(version)} & self.tags:
            raise Refusal(VERSION_PAST, headers={"etag": etag(version)}, version=version)

    def require_said(self, *, otherwise: object = None) -> None:
        """Raise the 428 problem unless the request says what it expects, in If-Match or `otherwise`."""
        if self.tags is None and otherwise is None:
            raise Refusal(VERSION_REQUIRED)


ANYTHING: Final = Expected()


def etag(version: int) -> str:
    """Write a version as a strong entity tag (RFC 9110, section 8.8.3)."""
    return f'"{version}"'


async def _expected(
    if_match: Annotated[
        str | None,
        Header(
            alias="If-Match",
            max_length=200,
            pattern=_TAGS,
            description="The ETag of what was read: 412 `version_past` if it was changed since (RFC 9110, 13.1.1).",
        ),
    ] = None,
) -> Expected:
    if if_match is None:
        return ANYTHING
    if if_match == "*":
        return Expected(frozenset({"*"}))
    return Expected(frozenset(tag for weak, tag in _STRONG.findall(if_match) if not weak))


IfMatch = Annotated[Expected, Depends(_expected)]
"""What a client expects the thing to be that it changes, as a parameter of a route."""
