"""`python -m activities api|worker|all|migrate|parked|verify-audit`."""

from pathlib import Path

from activities.app import create_application
from activities.settings import Settings
from activities.worker import open_worker
from audit.command import VerifyAudit
from messaging import ParkedCommand
from webapi import serve

if __name__ == "__main__":
    serve(
        "activities",
        settings=Settings,
        application=create_application,
        worker=open_worker,
        migrations=Path(__file__).parents[2] / "migrations",
        tasks={"parked": ParkedCommand(), "verify-audit": VerifyAudit()},
    )
