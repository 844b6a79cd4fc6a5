"""gzip: who takes it, what is worth it, and the answers in it, a piece at a time so that the event loop is not held."""

import asyncio
import re
import zlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from isal import isal_zlib

CODING: Final = (b"content-encoding", b"gzip")
VARY: Final = (b"vary", b"accept-encoding")
SMALLEST: Final = 512
"""Bytes from which on a body is worth it."""
AT_ONCE: Final = 64 * 1024
"""Bytes of a body that are compressed before others have their turn: about 0.1 ms."""
_LEVEL: Final = 1
"""ISA-L's first, which makes what is answered here as small as zlib's sixth: 10 kB in 9 us instead of 35."""
_ONCE: Final = 6
"""zlib's, for what is compressed once."""
_WINDOW: Final = zlib.MAX_WBITS + 16
_ITEM: Final = re.compile(rb"\s*([!#$%&'*+.^_`|~\w-]+)\s*(?:;\s*[qQ]=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?\s*")
_MOST_ITEMS: Final = 20
_COMPRESSIBLE: Final = re.compile(
    rb"text/(?!event-stream)[^;]*|application/(?:json|javascript|xml|x-ndjson|[^;]+\+(?:json|xml))|image/svg\+xml"
)
_ALREADY: Final = frozenset((b"content-encoding", b"content-range"))
_WITHOUT_CONTENT: Final = frozenset((204, 206, 304))


@lru_cache(256)
def accepted(value: bytes) -> bool:
    """Say whether the value of `Accept-Encoding` takes gzip, and wants it no less than the plain body (RFC 9110,
    12.5.3)."""
    weights: dict[bytes, float] = {}
    for item in value.lower().split(b",")[:_MOST_ITEMS]:
        if (read := _ITEM.fullmatch(item)) is not None:
            weights.setdefault(read[1], 1.0 if read[2] is None else float(read[2]))
    gzip = weights.get(b"gzip", weights.get(b"x-gzip", weights.get(b"*", 0.0)))
    return gzip > 0 and gzip >= weights.get(b"identity", 0.0)


@lru_cache(64)
def _is_compressible(content_type: bytes) -> bool:
    return _COMPRESSIBLE.fullmatch(content_type.partition(b";")[0].strip().lower()) is not None


def is_worth_it(status: int, names: Mapping[bytes, bytes], size: int | None) -> bool:
    """Say whether an answer may come as gzip, by its headers and the size of its body, None where that is not known.

    What has a strong entity tag may not: the tag names these bytes, and a weak one is no good for If-Match. Nor may
    what says `no-transform`, as answers with a secret do (RFC 9111, 5.2.2.6).
    """
    return (
        (size is None or size >= SMALLEST)
        and _is_compressible(names.get(b"content-type", b""))
        and status not in _WITHOUT_CONTENT
        and names.keys().isdisjoint(_ALREADY)
        and names.get(b"etag", b"W/").startswith(b"W/")
        and b"no-transform" not in names.get(b"cache-control", b"").lower()
    )


def coded(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Give the headers of the same answer as gzip, of a length that is still to be told."""
    return [*(header for header in headers if header[0] != b"content-length"), CODING]


def at_once(body: bytes) -> bytes:
    """Compress a body of at most `AT_ONCE` bytes."""
    return isal_zlib.compress(body, _LEVEL, _WINDOW)


class Packer:
    """One body on its way into gzip."""

    __slots__ = ("_compressor",)

    def __init__(self) -> None:
        self._compressor = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _WINDOW)

    async def piece(self, data: bytes, *, last: bool) -> bytes:
        """Compress the next piece so that it can be read without the one after it."""
        packed = []
        for start in range(0, len(data), AT_ONCE):
            if start:
                await asyncio.sleep(0)
            packed.append(self._compressor.compress(data[start : start + AT_ONCE]))
        packed.append(self._compressor.flush(isal_zlib.Z_FINISH if last else isal_zlib.Z_SYNC_FLUSH))
        return b"".join(packed)


def packed(body: bytes) -> bytes:
    """Compress what is served many times; a megabyte takes 0.05 s."""
    return zlib.compress(body, _ONCE, _WINDOW)
