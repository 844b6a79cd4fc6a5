"""How much each client may ask of the system."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table client_quota (
            client_id text not null,
            client_principal_id uuid not null,
            version bigint not null,
            requests_per_minute integer not null,
            suspended boolean not null,
            constraint pk_client_quota primary key (client_id),
            constraint uq_client_quota_client_principal_id unique (client_principal_id),
            constraint ck_client_quota_requests_per_minute check (requests_per_minute > 0)
        )
        """
    )


def downgrade() -> None:
    op.execute("drop table client_quota")
