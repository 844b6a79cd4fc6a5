"""What became of acts that devices sent later, by month."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table sync_receipt (
            person_id uuid not null,
            op_id uuid not null,
            month date not null,
            actor_id uuid,
            kind text not null,
            subject_id uuid not null,
            op_hash bytea not null,
            result text not null,
            status integer,
            problem jsonb,
            subject_version bigint,
            acted_at timestamptz not null,
            received_at timestamptz not null,
            constraint pk_sync_receipt primary key (person_id, op_id, month),
            constraint ck_sync_receipt_result check (result in ('applied', 'rejected'))
        ) partition by range (month)
        """
    )
    op.execute("create table sync_receipt_default partition of sync_receipt default")


def downgrade() -> None:
    op.execute("drop table sync_receipt")
