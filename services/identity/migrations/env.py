"""Alembic's environment of identity: its tables beside those of orgtree, messaging and webapi."""

from database import migrations

migrations.run_environment("identity")
