"""`python -m members api|worker|all|migrate|parked`."""

from pathlib import Path

from members.app import create_application
from members.settings import Settings
from members.worker import open_worker
from messaging import ParkedCommand
from webapi import serve

serve(
    "members",
    settings=Settings,
    application=create_application,
    worker=open_worker,
    migrations=Path(__file__).parents[2] / "migrations",
    tasks={"parked": ParkedCommand()},
)
