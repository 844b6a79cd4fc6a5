"""How each process of the system does, and when that changed."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table process_seen (
            service text not null,
            role text not null,
            instance text not null,
            state text not null,
            since timestamptz not null,
            constraint pk_process_seen primary key (service, role, instance),
            constraint ck_process_seen_state check (state in ('up', 'slow', 'away'))
        )
        """
    )
    op.execute(
        """
        create table state_change (
            id bigint generated always as identity,
            service text not null,
            role text not null,
            instance text not null,
            state text not null,
            changed_at timestamptz not null,
            constraint pk_state_change primary key (id)
        )
        """
    )
    op.execute("create index ix_state_change_changed_at_id on state_change (changed_at, id)")


def downgrade() -> None:
    op.execute("drop table state_change")
    op.execute("drop table process_seen")
