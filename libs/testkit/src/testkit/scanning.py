"""Looks for secrets in whatever was written down, as plain text, as hexadecimal and as base64."""

import base64
import binascii
import io
import re
from collections.abc import AsyncIterator, Iterable, Iterator

import asyncpg

from database import closing

_TABLES = """
    select format('%I.%I', nspname, relname) from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where relkind = 'r' and nspname not in ('pg_catalog', 'information_schema') order by 1
"""
_ID_NUMBER = re.compile(rb"(?<!\d)\d{17}[\dXx](?!\d)")
_PHONE = re.compile(rb"(?<![0-9A-Za-z])(?:\+?86)?(1\d{10})(?![0-9A-Za-z])")
_CODE = re.compile(rb"(?<![\w.:+-])\d{6}(?![\w.:-])")
_HEX = re.compile(rb"(?:[0-9a-fA-F]{2}){8,}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{12,}")
_BLOCK = 8
_STANDARD = bytes.maketrans(b"-_", b"+/")


class Scanner:
    """Finds which of these values stand in some text; short codes of digits only where they stand alone."""

    def __init__(self, values: Iterable[str]) -> None:
        known = {value.encode() for value in values}
        self._codes = {value for value in known if re.fullmatch(rb"\d{6}", value)}
        self._numbers = {value.upper() for value in known if re.fullmatch(rb"\d{11}|\d{17}[\dXx]", value)}
        others = known - self._codes - {value for value in known if value.upper() in self._numbers}
        self._short = {value for value in others if len(value) < 2 * _BLOCK - 1}
        self._long = {value: [value[at : at + _BLOCK] for at in range(_BLOCK)] for value in others - self._short}

    def found_in(self, text: bytes) -> set[bytes]:
        """Give the values that stand in the text, or in what its hexadecimal or base64 parts stand for."""
        found = self._plain(text)
        for inner in _unwrapped(text):
            found |= self._plain(inner)
        return found

    def _plain(self, text: bytes) -> set[bytes]:
        numbers = {each.upper() for each in _ID_NUMBER.findall(text)} | set(_PHONE.findall(text))
        found = numbers & self._numbers
        if self._codes:
            found |= set(_CODE.findall(text)) & self._codes
        # Wherever a long value stands, it covers a block of the text that begins at a multiple of the block's length.
        blocks = {text[at : at + _BLOCK] for at in range(0, len(text), _BLOCK)}
        possible = {value for value, own in self._long.items() if not blocks.isdisjoint(own)}
        return found | {value for value in possible | self._short if value in text}


def _unwrapped(text: bytes) -> Iterator[bytes]:
    """Decode all runs of hexadecimal, and of base64 at each of its four beginnings, each kind in one piece."""
    yield b"\n".join(binascii.unhexlify(run) for run in _HEX.findall(text))
    runs = _BASE64.findall(text)
    for skipped in range(4):
        yield b"\n".join(_decoded(run[skipped:]) for run in runs)


def _decoded(run: bytes) -> bytes:
    whole = run[:-1] if len(run) % 4 == 1 else run  # four letters are three bytes; one letter is none
    return base64.b64decode(whole.translate(_STANDARD) + b"=" * (-len(whole) % 4))


async def tables(url: str) -> AsyncIterator[tuple[str, bytes]]:
    """Give every table of a database as COPY writes it, in text; `url` is the superuser's, who may read all."""
    async with closing(asyncpg.connect(url)) as connection:
        for (table,) in await connection.fetch(_TABLES):
            text = io.BytesIO()
            await connection.copy_from_query(f"select * from {table}", output=text)  # noqa: S608 - from the catalogue
            yield table, text.getvalue()
