"""Reads a service's audit for those who verify it: its days, its entries, and what a witness keeps of others."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

import asyncpg

from audit.chain import Day, Link
from audit.verifying import Books, Finding, Witnessed
from audit.witnessing import private_key
from china_time import day_of
from database import KeyRing, SealBroken

_DAYS: Final = """
    select day, previous_day, genesis, count, head, forgotten_at is not null from audit.day order by day
"""
_LINKS: Final = f"select {', '.join(Link._fields)} from audit.entry where day = $1 order by position"  # noqa: S608
_ENTRY_DAYS: Final = "select distinct day from audit.entry where day is not null order by day"
_WITNESSED: Final = """
    select service, day, number, count, head, root, witnessed_at, key_id, signature
    from audit.witness where service = $1 order by day, number
"""
_KEYS: Final = "select key_id, wrapped from audit.witness_key"
_STALE: Final = "select id from audit.entry where day is null and recorded_at < $1 order by id limit 1"
_SEALED_WITHIN: Final = timedelta(minutes=10)
_WITNESSED_WITHIN: Final = timedelta(minutes=10)
"""The last checkpoint of a day is made up to 15 seconds after midnight, and then takes its way through the bus."""


class Heard(NamedTuple):
    """What a witness keeps of a service, and the public keys it signs with, by id: none that it cannot sign with."""

    witnessed: list[Witnessed]
    keys: Mapping[str, bytes]


class Report(NamedTuple):
    """What a verification saw, and the first thing wrong on each day."""

    service: str
    days: int
    entries: int
    witnessed: int
    findings: list[Finding]


async def service_of(connection: asyncpg.Connection) -> str:
    """Give the name of the service whose audit this database has."""
    name: str = await connection.fetchval("select service from audit.origin")
    return name


async def heard_of(connection: asyncpg.Connection, service: str, ring: KeyRing) -> Heard:
    """Read, in a witness's database, what it keeps of `service`.

    The public keys come of the private ones, which the witness's `ring` opens: a key that somebody put into the
    database without the ring is none, and nothing that it signed is believed.
    """
    rows: list[Any] = await connection.fetch(_WITNESSED, service)
    keys = {}
    for key_id, wrapped in await connection.fetch(_KEYS):
        with suppress(SealBroken):
            keys[key_id] = private_key(ring, key_id, wrapped).public_key().public_bytes_raw()
    return Heard([Witnessed(*row) for row in rows], keys)


async def verify_database(
    connection: asyncpg.Connection, heard: Heard | None, *, now: datetime, day: date | None = None
) -> Report:
    """Verify a service's audit, or one day of it, in its own database, against what its witness keeps if that is given.

    One day's entries are held in memory at a time.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        service = await service_of(connection)
        kept = [Day(*row) for row in await connection.fetch(_DAYS)]
        with_entries = {row["day"] for row in await connection.fetch(_ENTRY_DAYS)}
        witnessed, keys = heard or Heard([], {})
        days = sorted({*with_entries, *(each.day for each in kept), *(each.day for each in witnessed)})
        today, settled = (day_of(now - late) for late in (timedelta(0), _WITNESSED_WITHIN))
        books = Books.of(service, kept, None if heard is None else witnessed, keys, today=today, settled=settled)
        findings: list[Finding] = []
        entries = 0
        for each in days if day is None else [day]:
            links = [Link(*row) for row in await connection.fetch(_LINKS, each)]
            entries += len(links)
            wrong = books.check(each, links)
            findings += [wrong] if wrong is not None else []
        stale = await connection.fetchval(_STALE, now - _SEALED_WITHIN)
        if stale is not None and day is None:
            findings.append(Finding(service, None, "unsealed", entry_id=stale))
    return Report(service, len(days), entries, len(witnessed), findings)
