"""Runs the migrations of the small service, which has no tables of its own."""

from database.migrations import run_environment

run_environment("webapi")
