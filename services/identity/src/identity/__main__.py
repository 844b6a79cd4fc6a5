"""`python -m identity api|worker|all|migrate|parked|rotate-keys|tell-erasures|verify-audit|audit-witnessed`."""

from pathlib import Path

from audit.command import AuditWitnessed, VerifyAudit
from database import Database, KeyRing
from identity.app import create_application
from identity.privacy.erasure import tell_all_again
from identity.settings import Settings
from identity.signing.rotation import RotateKeys
from identity.worker import open_worker
from messaging import ParkedCommand
from webapi import read_settings, serve


def _sealing_ring() -> KeyRing:
    return read_settings(Settings).ring


async def _tell_erasures(_: Settings, database: Database) -> str:
    """Tell every service once more who is erased, after one of them was restored from a backup."""
    return f"{await tell_all_again(database)} erasures told again"


if __name__ == "__main__":
    serve(
        "identity",
        settings=Settings,
        application=create_application,
        worker=open_worker,
        migrations=Path(__file__).parents[2] / "migrations",
        tasks={
            "parked": ParkedCommand(),
            "verify-audit": VerifyAudit(),
            "audit-witnessed": AuditWitnessed(_sealing_ring),
            "tell-erasures": _tell_erasures,
            "rotate-keys": RotateKeys(_sealing_ring),
        },
    )
