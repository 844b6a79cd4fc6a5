"""Alembic's environment of feedback: its tables beside those of orgtree, messaging and webapi."""

from database import migrations

migrations.run_environment("feedback")
