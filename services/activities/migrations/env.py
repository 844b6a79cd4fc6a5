"""Alembic's environment of activities: its tables beside those of orgtree, messaging and webapi."""

from database import migrations

migrations.run_environment("activities")
