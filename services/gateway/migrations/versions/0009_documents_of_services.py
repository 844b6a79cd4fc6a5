"""Each service's document as it was last good, for a gateway that starts while the service is away."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table service_document (
            service text not null,
            document jsonb not null,
            fetched_at timestamptz not null,
            constraint pk_service_document primary key (service)
        )
        """
    )


def downgrade() -> None:
    op.execute("drop table service_document")
