"""Alembic's environment of learning: its tables beside those of orgtree, messaging and webapi."""

import learning.courses.tables
import learning.study.tables  # noqa: F401 - declares its tables
from database import Table, migrations

migrations.run_environment(Table.metadata)
