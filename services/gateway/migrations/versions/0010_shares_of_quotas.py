"""What each process of the gateway needs and has of each client's quota; lost with a crash, told anew in seconds."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create unlogged table replica_demand (
            replica_id uuid not null,
            client_id text not null,
            need double precision not null,
            share double precision not null,
            told_at timestamptz not null,
            constraint pk_replica_demand primary key (replica_id, client_id)
        )
        """
    )


def downgrade() -> None:
    op.execute("drop table replica_demand")
