"""The tables of exports and erasures as plain SQL, for a service's Alembic history."""

from typing import Any


def create_v1(op: Any) -> None:
    """Create `export_part` and `erased_person`; call it with Alembic's `op` in a service's migration."""
    op.execute(
        """
        create table export_part (
            export_id uuid not null,
            person_id uuid not null,
            asked_at timestamptz not null,
            part bytea,
            composed_at timestamptz,
            attempts integer not null default 0,
            next_at timestamptz not null default now(),
            constraint pk_export_part primary key (export_id),
            constraint ck_export_part_composed_at_a_time check ((part is null) = (composed_at is null))
        )
        """
    )
    op.execute("create index ix_export_part_person_id on export_part (person_id)")
    op.execute("create index ix_export_part_to_compose on export_part (next_at) where part is null")
    op.execute(
        """
        create table erased_person (
            person_id uuid not null,
            erased_at timestamptz not null,
            constraint pk_erased_person primary key (person_id)
        )
        """
    )


def drop_v1(op: Any) -> None:
    """Drop what `create_v1` created."""
    op.execute("drop table erased_person")
    op.execute("drop table export_part")
