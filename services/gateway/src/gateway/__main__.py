"""`python -m gateway api|worker|all|migrate`."""

from pathlib import Path

from gateway.app import create_application
from gateway.rebuilding import rebuild_home, rebuild_overview
from gateway.settings import Settings
from gateway.worker import open_worker
from webapi import serve

if __name__ == "__main__":
    serve(
        "gateway",
        settings=Settings,
        application=create_application,
        worker=open_worker,
        migrations=Path(__file__).parents[2] / "migrations",
        tasks={"rebuild-overview": rebuild_overview, "rebuild-home": rebuild_home},
    )
