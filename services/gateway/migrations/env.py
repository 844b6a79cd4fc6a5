"""Alembic's environment of the gateway: its read models beside the tables of orgtree, messaging and webapi."""

from database import migrations

migrations.run_environment("gateway")
