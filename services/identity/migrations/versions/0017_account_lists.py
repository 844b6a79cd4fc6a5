"""Lists of accounts that one person gives and another approves."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table account_list (
            list_id uuid not null,
            organisation_id uuid not null,
            status text not null default 'proposed',
            size integer not null,
            given_by uuid not null,
            given_at timestamptz not null,
            expires_at timestamptz not null,
            decided_by uuid,
            decided_at timestamptz,
            constraint pk_account_list primary key (list_id),
            constraint ck_account_list_status check (status in ('proposed', 'approved', 'refused', 'withdrawn')),
            constraint ck_account_list_decided_at check ((status = 'proposed') = (decided_at is null)),
            constraint ck_account_list_decided_by check ((decided_at is null) = (decided_by is null)),
            constraint ck_account_list_two_people check (status <> 'approved' or decided_by <> given_by)
        )
        """
    )
    op.execute("create index ix_account_list_organisation_id on account_list (organisation_id)")
    op.execute("create index ix_account_list_given_by on account_list (given_by)")
    op.execute("create index ix_account_list_expires_at on account_list (expires_at)")
    op.execute(
        """
        create table account_list_row (
            row_id uuid not null,
            list_id uuid not null,
            number integer not null,
            person_id uuid not null,
            organisation_id uuid not null,
            username text not null,
            outcome text,
            done_at timestamptz,
            attempts integer not null default 0,
            due_at timestamptz,
            constraint pk_account_list_row primary key (row_id),
            constraint uq_account_list_row_list_id_number unique (list_id, number),
            constraint fk_account_list_row_list_id_account_list foreign key (list_id)
                references account_list (list_id) on delete cascade,
            constraint ck_account_list_row_done_at check ((outcome is null) = (done_at is null))
        )
        """
    )
    op.execute("create index ix_account_list_row_person_id on account_list_row (person_id)")
    op.execute("create index ix_account_list_row_due_at on account_list_row (due_at) where outcome is null")


def downgrade() -> None:
    op.execute("drop table account_list_row")
    op.execute("drop table account_list")
