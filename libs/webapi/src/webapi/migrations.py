"""The tables of the Idempotency-Key rule and of own limits, for a service's Alembic history."""

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


def create_reach_v1(op: Any) -> None:
    """Create `reach_count`, for a service whose commands call `count_reach`."""
    op.execute(
        """
        create table reach_count (
            person_id uuid not null,
            reached text not null,
            full_at timestamptz not null,
            constraint pk_reach_count primary key (person_id, reached)
        )
        """
    )
    op.execute("create index ix_reach_count_full_at on reach_count (full_at)")


def drop_reach_v1(op: Any) -> None:
    """Drop what `create_reach_v1` created."""
    op.execute("drop table reach_count")
