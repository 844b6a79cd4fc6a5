"""Alembic's environment of the gateway: its read models beside the tables of orgtree, messaging and webapi."""

import gateway.contributions.tables
import gateway.home.tables  # noqa: F401 - declares its tables
from database import Table, migrations

migrations.run_environment(Table.metadata)
