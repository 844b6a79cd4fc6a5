"""Runs the migrations of the small service."""

from sqlalchemy import MetaData

from database.migrations import run_environment

run_environment(MetaData())
