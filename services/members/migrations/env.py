"""Alembic's environment of members: its tables beside those of orgtree, messaging and webapi."""

import members.files.tables
import members.organisations.tables  # noqa: F401 - declares its tables
from database import Table, migrations

migrations.run_environment(Table.metadata)
