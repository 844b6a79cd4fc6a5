"""`python -m identity api|worker|all|migrate|parked`."""

from pathlib import Path

from identity.app import create_application
from identity.settings import Settings
from identity.worker import open_worker
from messaging import ParkedCommand
from webapi import serve

if __name__ == "__main__":
    serve(
        "identity",
        settings=Settings,
        application=create_application,
        worker=open_worker,
        migrations=Path(__file__).parents[2] / "migrations",
        tasks={"parked": ParkedCommand()},
    )
