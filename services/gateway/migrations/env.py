"""Alembic's environment of the gateway: its read models beside the tables of orgtree, messaging and webapi."""

import gateway.home.tables
import gateway.overview.tables  # noqa: F401 - declares its tables
from database import Table, migrations

migrations.run_environment(Table.metadata)
