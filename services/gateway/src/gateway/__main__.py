"""`python -m gateway api|worker|all|migrate|parked|rebuild-overview|rebuild-home|mend-rollups|verify-audit`."""

from pathlib import Path

from audit.command import VerifyAudit
from gateway.app import create_application
from gateway.rebuilding import mend_rollups, rebuild_home, rebuild_overview
from gateway.settings import Settings
from gateway.worker import open_worker
from messaging import ParkedCommand
from webapi import serve

if __name__ == "__main__":
    serve(
        "gateway",
        settings=Settings,
        application=create_application,
        worker=open_worker,
        migrations=Path(__file__).parents[2] / "migrations",
        tasks={
            "parked": ParkedCommand(),
            "verify-audit": VerifyAudit(),
            "rebuild-overview": rebuild_overview,
            "rebuild-home": rebuild_home,
            "mend-rollups": mend_rollups,
        },
    )
