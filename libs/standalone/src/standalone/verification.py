"""Verifies the services' audits, each in its own database against what its witness keeps in another."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date

import asyncpg

from audit.command import text_of
from audit.reading import Report, heard_of, verify_database
from database import KeyRing, closing, utc_now
from standalone import running, services
from standalone.data_directory import DataDirectory
from standalone.refusals import CannotRun
from standalone.settings import Settings

__all__ = ["text_of", "verify"]


def verify(home: DataDirectory, settings: Settings, service: str | None, *, day: date | None) -> list[Report]:
    """Verify every service's audit, or the one that is named, on every day or the one. Raises CannotRun."""
    if service is not None and service not in services.WITNESSES:
        raise CannotRun(f"{service} keeps no audit; there are {', '.join(services.WITNESSES)}")
    home.require_data()
    names = tuple(services.WITNESSES) if service is None else (service,)
    rings = {name: KeyRing.parse(secrets["SEALING_KEY"]) for name, secrets in running.secrets_of(home).items()}
    with running.open_servers(home, settings) as (servers, _):
        try:
            return asyncio.run(_verify(servers.addresses.database_urls, rings, names, day))
        except asyncpg.UndefinedTableError as error:
            raise CannotRun("the databases were not migrated; do it with: xiangqiao migrate") from error
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            reason = type(error).__name__
            raise CannotRun(f"a database did not answer ({reason}); try: xiangqiao status") from error


async def _verify(
    urls: Mapping[str, str], rings: Mapping[str, KeyRing], names: Sequence[str], day: date | None
) -> list[Report]:
    reports = []
    for name in names:
        async with closing(asyncpg.connect(urls[services.WITNESSES[name]])) as witness:
            heard = await heard_of(witness, name, rings[services.WITNESSES[name]])
        async with closing(asyncpg.connect(urls[name])) as own:
            reports.append(await verify_database(own, heard, now=utc_now(), day=day))
    return reports
