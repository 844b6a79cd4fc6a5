"""The table behind the Idempotency-Key rule, for a service's Alembic history."""

from typing import Any


def create_v1(op: Any) -> None:
    """Create `idempotency_key`; call it with Alembic's `op` in a service's migration.

    The client's key itself is not stored: `key_hash` finds the row, and `body` is sealed under a key derived from it,
    so that the table and its backups hold no readable answer.
    """
    op.execute(
        """
        create table idempotency_key (
            person_id uuid not null,
            client_id text not null,
            key_hash bytea not null,
            operation text not null,
            request_hash bytea not null,
            status smallint,
            location text,
            body bytea,
            created_at timestamptz not null default now(),
            constraint pk_idempotency_key primary key (person_id, client_id, key_hash)
        ) with (fillfactor = 70)
        """
    )
    op.execute("create index ix_idempotency_key_created_at on idempotency_key (created_at)")


def drop_v1(op: Any) -> None:
    """Drop what `create_v1` created."""
    op.execute("drop table idempotency_key")
