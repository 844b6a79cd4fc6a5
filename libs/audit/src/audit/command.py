"""What an operator does with the audit on a service's command line: verify it, and give what is witnessed of others."""

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import orjson

from audit.reading import Heard, Report, heard_of, verify_database
from audit.verifying import Witnessed
from database import Database, closing, utc_now
from webapi import CannotStart, ServiceSettings
from webapi.sealing import ring_of

_HASHES = ("head", "root", "signature")


def text_of(report: Report) -> str:
    """Say in a line what was verified, when nothing is wrong with it."""
    return (
        f"{report.service}: {report.entries} entries of {report.days} days are as they were written, "
        f"{report.witnessed} checkpoints witnessed / "
        f"{report.days}日{report.entries}条审计记录完好,{report.witnessed}个检查点有见证"
    )


def written(heard: Heard) -> str:
    """Write what a witness keeps as JSON, for `read`."""
    witnessed = [
        {name: value.hex() if name in _HASHES else value for name, value in each._asdict().items()}
        for each in heard.witnessed
    ]
    return orjson.dumps(
        {"keys": {name: key.hex() for name, key in heard.keys.items()}, "witnessed": witnessed}
    ).decode()


def read(text: str | bytes) -> Heard:
    """Read what `written` wrote; raises `ValueError` for anything else."""
    try:
        found: dict[str, Any] = orjson.loads(text)
        witnessed = [
            Witnessed(
                **{
                    **each,
                    **{name: bytes.fromhex(each[name]) for name in _HASHES},
                    "day": date.fromisoformat(each["day"]),
                    "witnessed_at": datetime.fromisoformat(each["witnessed_at"]),
                }
            )
            for each in found["witnessed"]
        ]
        return Heard(witnessed, {name: bytes.fromhex(key) for name, key in found["keys"].items()})
    except (KeyError, TypeError) as error:
        raise ValueError("this is not what `audit-witnessed` prints") from error


def _heard(name: str) -> Heard:
    """Read a file that is named on the command line, `-` for what comes in."""
    try:
        return read(sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes())
    except (OSError, ValueError) as error:
        raise ArgumentTypeError(f"it is no file that `audit-witnessed` wrote ({type(error).__name__})") from error


class VerifyAudit:
    """Verify this service's audit, and name the first entry of each day that is wrong."""

    def declare(self, parser: ArgumentParser) -> None:
        """Take a day, and what the witness keeps."""
        parser.add_argument("--day", type=date.fromisoformat, metavar="YYYY-MM-DD", help="this day alone")
        parser.add_argument(
            "--witnessed",
            type=_heard,
            metavar="FILE",
            help="what the witness printed: python -m <witness> audit-witnessed --of <this service>; '-' for stdin",
        )

    async def __call__(self, _: object, database: Database, arguments: Namespace) -> str:
        """Verify; what is wrong is raised, so that the process ends with 1."""
        async with closing(database.connect()) as connection:
            report = await verify_database(connection, arguments.witnessed, now=utc_now(), day=arguments.day)
        if report.findings:
            raise CannotStart("the audit is broken / 审计记录已被破坏\n" + "\n".join(map(str, report.findings)))
        return text_of(report)


class AuditWitnessed:
    """Print what this service witnessed of another's audit, for that one's verify-audit."""

    def declare(self, parser: ArgumentParser) -> None:
        """Take the other service."""
        parser.add_argument("--of", required=True, metavar="SERVICE", help="the service whose audit is witnessed here")

    async def __call__(self, settings: ServiceSettings, database: Database, arguments: Namespace) -> str:
        """Give it as JSON; what seals this service's data opens the keys that sign."""
        ring = ring_of(settings)
        if ring is None:
            raise RuntimeError("a service that witnesses seals")
        async with closing(database.connect()) as connection:
            return written(await heard_of(connection, arguments.of, ring))
