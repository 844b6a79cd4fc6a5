"""`python -m members api|worker|all|migrate|parked|verify-audit|audit-witnessed`."""

from pathlib import Path

from audit.command import AuditWitnessed, VerifyAudit
from database import KeyRing
from members.app import create_application
from members.settings import Settings
from members.worker import open_worker
from messaging import ParkedCommand
from webapi import read_settings, serve


def _ring() -> KeyRing:
    return read_settings(Settings).ring


serve(
    "members",
    settings=Settings,
    application=create_application,
    worker=open_worker,
    migrations=Path(__file__).parents[2] / "migrations",
    tasks={"parked": ParkedCommand(), "verify-audit": VerifyAudit(), "audit-witnessed": AuditWitnessed(_ring)},
)
