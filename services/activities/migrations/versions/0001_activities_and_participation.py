"""Activities, who takes part in them, and each source that said so."""

from alembic import op

from messaging import migrations as messaging
from orgtree import migrations as orgtree
from webapi import migrations as webapi

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    """
    create table activity (
        activity_id uuid not null,
        organisation_id uuid not null,
        kind text not null,
        title text not null,
        starts_at timestamptz not null,
        ends_at timestamptz not null,
        place text,
        join_url text,
        agenda text[] not null,
        status text not null,
        scheduled_by uuid not null,
        scheduled_at timestamptz not null,
        closed_by uuid,
        closed_at timestamptz,
        version integer not null,
        constraint pk_activity primary key (activity_id),
        constraint ck_activity_ends_after_it_starts check (ends_at > starts_at),
        constraint ck_activity_status_known check (status in ('scheduled', 'closed')),
        constraint ck_activity_closed_at_a_time check ((status = 'closed') = (closed_at is not null))
    )
    """,
    "create index ix_activity_organisation_id_starts_at on activity (organisation_id, starts_at, activity_id)",
    "create index ix_activity_starts_at on activity (starts_at, activity_id)",
    """
    create table participation (
        participation_id uuid not null,
        activity_id uuid not null,
        person_id uuid not null,
        affiliation_id uuid not null,
        registered_at timestamptz,
        attended_at timestamptz,
        mode text,
        provenance text[] not null,
        version integer not null,
        constraint pk_participation primary key (participation_id),
        constraint uq_participation_activity_id_person_id unique (activity_id, person_id),
        constraint ck_participation_registered_or_attended
            check (registered_at is not null or attended_at is not null),
        constraint ck_participation_mode_when_attended check ((attended_at is null) = (mode is null)),
        constraint ck_participation_provenance_when_attended
            check ((attended_at is null) = (cardinality(provenance) = 0)),
        constraint fk_participation_activity_id_activity
            foreign key (activity_id) references activity (activity_id)
    )
    """,
    "create index ix_participation_person_id on participation (person_id)",
    """
    create table attendance_report (
        participation_id uuid not null,
        source text not null,
        mode text not null,
        attended_at timestamptz not null,
        reported_by uuid not null,
        reported_at timestamptz not null,
        constraint pk_attendance_report primary key (participation_id, source),
        constraint fk_attendance_report_participation_id_participation
            foreign key (participation_id) references participation (participation_id)
    )
    """,
)


def upgrade() -> None:
    messaging.create_v1(op)
    orgtree.create_v1(op)
    webapi.create_v1(op)
    for statement in TABLES:
        op.execute(statement)


def downgrade() -> None:
    for table in ("attendance_report", "participation", "activity"):
        op.execute(f"drop table {table}")
    webapi.drop_v1(op)
    orgtree.drop_v1(op)
    messaging.drop_v1(op)
