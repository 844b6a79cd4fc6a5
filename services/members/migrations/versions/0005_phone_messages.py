"""Messages to the phones on member files, and the index by which a person is found who asks for one."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The worker fills them, and again for every version.
    op.execute("alter table member add column person_index bytea, add column indexed_version bigint")
    op.execute("create index ix_member_person_index on member (person_index)")
    op.execute(
        "create index ix_member_not_indexed on member (person_id) where indexed_version is distinct from version"
    )
    op.execute(
        """
        create table phone_message (
            message_id uuid not null,
            person_id uuid not null,
            text text not null,
            language text not null,
            sealed bytea not null,
            withheld boolean not null,
            attempts integer not null default 0,
            queued_at timestamptz not null,
            next_attempt_at timestamptz not null,
            expires_at timestamptz not null,
            constraint pk_phone_message primary key (message_id),
            constraint fk_phone_message_person_id_member foreign key (person_id) references member (person_id),
            constraint ck_phone_message_language check (language in ('zh', 'en'))
        )
        """
    )
    op.execute("create index ix_phone_message_person_id on phone_message (person_id)")
    op.execute("create index ix_phone_message_next_attempt_at on phone_message (next_attempt_at)")


def downgrade() -> None:
    op.execute("drop table phone_message")
    op.execute("drop index ix_member_not_indexed")
    op.execute("alter table member drop column indexed_version, drop column person_index")
