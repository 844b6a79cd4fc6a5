"""The home and overview read models."""

from alembic import op

from messaging import migrations as messaging
from orgtree import migrations as orgtree
from webapi import migrations as webapi

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

CREATE = (
    """
    create table home_item (
        key text not null constraint pk_home_item primary key,
        version bigint not null,
        audience text not null,
        kind text not null,
        subject_id uuid not null,
        organisation_id uuid not null,
        since timestamptz not null,
        due_at timestamptz,
        expires_at timestamptz,
        open boolean not null,
        facts jsonb not null
    )
    """,
    "create index ix_home_item_audience_since_key on home_item (audience, since, key) where open",
    """
    create table home_participation (
        person_id uuid not null,
        activity_id uuid not null,
        version bigint not null,
        registered boolean not null,
        attended boolean not null,
        constraint pk_home_participation primary key (person_id, activity_id)
    )
    """,
    """
    create table home_study (
        person_id uuid not null,
        course_id uuid not null,
        lesson_id uuid not null,
        version bigint not null,
        completed boolean not null,
        constraint pk_home_study primary key (person_id, course_id, lesson_id)
    )
    """,
    """
    create table contribution (
        aggregate text not null,
        aggregate_id uuid not null,
        version bigint not null,
        organisation_id uuid not null,
        measures jsonb not null,
        constraint pk_contribution primary key (aggregate, aggregate_id)
    )
    """,
)


def upgrade() -> None:
    messaging.create_v1(op)
    orgtree.create_v1(op)
    webapi.create_v1(op)
    for statement in CREATE:
        op.execute(statement)


def downgrade() -> None:
    for table in ("contribution", "home_study", "home_participation", "home_item"):
        op.execute(f"drop table {table}")
    webapi.drop_v1(op)
    orgtree.drop_v1(op)
    messaging.drop_v1(op)
