"""Alembic's environment of feedback: its tables beside those of orgtree, messaging and webapi."""

import feedback.cases.tables
import feedback.responsibilities.tables  # noqa: F401 - declares its tables
from database import Table, migrations

migrations.run_environment(Table.metadata)
