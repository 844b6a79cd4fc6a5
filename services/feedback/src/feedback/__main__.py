"""`python -m feedback api|worker|all|migrate|parked|verify-audit`."""

from pathlib import Path

from audit.command import VerifyAudit
from feedback.app import create_application
from feedback.settings import Settings
from feedback.worker import open_worker
from messaging import ParkedCommand
from webapi import serve

if __name__ == "__main__":
    serve(
        "feedback",
        settings=Settings,
        application=create_application,
        worker=open_worker,
        migrations=Path(__file__).parents[2] / "migrations",
        tasks={"parked": ParkedCommand(), "verify-audit": VerifyAudit()},
    )
