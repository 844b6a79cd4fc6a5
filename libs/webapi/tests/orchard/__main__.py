"""Runs a process of the small service."""

from pathlib import Path

from libs.webapi.tests.orchard.application import TASKS, Settings, create_application, open_worker

from webapi import serve

serve(
    "orchard",
    settings=Settings,
    application=create_application,
    worker=open_worker,
    migrations=Path(__file__).parent / "migrations",
    tasks=TASKS,
)
