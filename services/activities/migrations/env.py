"""Alembic's environment of activities: its tables beside those of orgtree, messaging and webapi."""

import activities.participation.tables
import activities.scheduling.tables  # noqa: F401 - declares its tables
from database import Table, migrations

migrations.run_environment(Table.metadata)
