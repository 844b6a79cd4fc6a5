"""Alembic's environment for identity's database."""

from database import Table, migrations
from identity import tables

assert tables.ALL  # noqa: S101 - importing it is what declares the tables
migrations.run_environment(Table.metadata)
