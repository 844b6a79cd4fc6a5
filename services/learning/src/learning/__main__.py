"""`python -m learning api|worker|all|migrate|mend-rollups|parked|verify-audit`."""

from pathlib import Path

from audit.command import VerifyAudit
from learning.app import create_application
from learning.settings import Settings
from learning.worker import mend_rollups, open_worker
from messaging import ParkedCommand
from webapi import serve

if __name__ == "__main__":
    serve(
        "learning",
        settings=Settings,
        application=create_application,
        worker=open_worker,
        migrations=Path(__file__).parents[2] / "migrations",
        tasks={"parked": ParkedCommand(), "verify-audit": VerifyAudit(), "mend-rollups": mend_rollups},
    )
