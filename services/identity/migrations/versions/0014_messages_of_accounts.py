"""Messages that wait belong to an account and go with it, and a sign-in knows which request it has yet to answer."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What waits from before belongs to nobody that is known; it goes out or expires within three days.
    op.execute("alter table message_to_send add column account_id uuid")
    op.execute(
        "alter table message_to_send add constraint fk_message_to_send_account_id_account"
        " foreign key (account_id) references account (account_id)"
    )
    op.execute("create index ix_message_to_send_account_id on message_to_send (account_id)")
    op.execute("alter table session add column waiting_request bytea")


def downgrade() -> None:
    op.execute("alter table session drop column waiting_request")
    op.execute("alter table message_to_send drop column account_id")
