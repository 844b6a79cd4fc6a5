"""Entity tags of answers that have none: who has an answer already gets 304 and no body (RFC 9110, 13.1.2)."""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Final

LARGEST: Final = 64 * 1024
"""Bytes of a body that may get a tag: so much may wait here for anybody, uncounted."""
_JSON: Final = b"application/json"
_OK: Final = 200
_KEPT: Final = b"content-location"


def may_be_tagged(method: str, status: int, names: Mapping[bytes, bytes]) -> bool:
    """Say whether an answer gets a tag: what a GET reads as JSON, if its service gave it none.

    A service's own tag names a version, which the answer may show more than: that service alone can compare it.
    """
    return (
        method == "GET"
        and status == _OK
        and names.get(b"content-type", b"").startswith(_JSON)
        and b"etag" not in names
        and b"content-encoding" not in names
    )


def tag_of(body: bytes) -> str:
    """Give the opaque part of a body's tag, in its quotation marks: 96 bits of BLAKE2b."""
    return f'"{blake2b(body, digest_size=12).hexdigest()}"'


def unchanged(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Give the headers of the 304: all but those that describe a body which does not come (RFC 9110, 15.4.5)."""
    return [header for header in headers if not header[0].startswith(b"content-") or header[0] == _KEPT]
