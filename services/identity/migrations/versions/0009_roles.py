"""Roles that are approved, delegated and kept apart."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

THREE = "('system_administrator', 'security_administrator', 'audit_administrator')"
STATUSES = "('proposed', 'granted', 'refused', 'lapsed', 'withdrawn', 'ended')"

UPGRADE = (
    "alter table role_definition add column privileged boolean not null default false",
    "alter table role_definition add column delegable boolean not null default false",
    "alter table role_definition add column granted_by text[] not null default '{}'",
    "alter table role_definition alter column privileged drop default",
    "alter table role_definition alter column delegable drop default",
    "alter table role_definition alter column granted_by drop default",
    f"""
    create table administrator (
        person_id uuid not null,
        role text not null,
        constraint pk_administrator primary key (person_id),
        constraint uq_administrator_person_id_role unique (person_id, role),
        constraint ck_administrator_role check (role in {THREE}),
        constraint fk_administrator_person_id_account foreign key (person_id) references account (account_id)
    )
    """,
    f"""
    insert into administrator
    select distinct person_id, role from role_assignment where ended_at is null and role in {THREE}
    """,  # noqa: S608 - the three words from above
    "alter table role_assignment drop constraint ck_role_assignment_version_counts_the_ending",
    """
    alter table role_assignment
        add column status text default 'granted' not null,
        add column delegated_from uuid,
        add column proposed_until timestamptz,
        add column decided_by uuid,
        add column decided_at timestamptz
    """,
    "update role_assignment set status = 'ended' where ended_at is not null",
    f"""
    alter table role_assignment
        add column administration text
            generated always as (case when status = 'granted' and role in {THREE} then role end) stored,
        add constraint ck_role_assignment_status check (status in {STATUSES}),
        add constraint ck_role_assignment_version_counts_the_ending check ((status = 'ended') = (version = 2)),
        add constraint ck_role_assignment_ended_at
            check ((status in ('ended', 'withdrawn')) = (ended_at is not null)),
        add constraint ck_role_assignment_proposed_until
            check ((proposed_until is not null) or status in ('granted', 'ended')),
        add constraint ck_role_assignment_decided_by_another
            check (decided_by <> granted_by and decided_by <> person_id),
        add constraint fk_role_assignment_administration_administrator
            foreign key (person_id, administration) references administrator (person_id, role),
        add constraint fk_role_assignment_delegated_from_role_assignment
            foreign key (delegated_from) references role_assignment (assignment_id)
    """,
    # What one person granted before it took two stays as it is until it ends.
    f"""
    alter table role_assignment add constraint ck_role_assignment_administrations_take_two check
        (role not in {THREE} or status <> 'granted' or granted_by is null or decided_by is not null) not valid
    """,
    """
    do $$ begin
        alter table role_assignment validate constraint ck_role_assignment_administrations_take_two;
    exception when check_violation then null;
    end $$
    """,
    """
    create index ix_role_assignment_delegated_from on role_assignment (delegated_from)
    where delegated_from is not null
    """,
    "create index ix_role_assignment_proposed_until on role_assignment (proposed_until) where status = 'proposed'",
    "create index ix_role_assignment_valid_until on role_assignment (valid_until) where status = 'granted'",
)
DOWNGRADE = (
    # What never held is no assignment in the older sense.
    "delete from role_assignment where status in ('proposed', 'refused', 'lapsed', 'withdrawn')",
    """
    alter table role_assignment
        drop column administration, drop column status, drop column delegated_from, drop column proposed_until,
        drop column decided_by, drop column decided_at,
        drop constraint if exists ck_role_assignment_version_counts_the_ending
    """,
    """
    alter table role_assignment add constraint ck_role_assignment_version_counts_the_ending
        check ((ended_at is null) = (version = 1))
    """,
    "drop table administrator",
    "alter table role_definition drop column privileged, drop column delegable, drop column granted_by",
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
