"""Courses in editions, who is learning which, and where each person stands with each lesson."""

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
    create table course (
        course_id uuid not null,
        organisation_id uuid not null,
        edition integer not null,
        constraint pk_course primary key (course_id)
    )
    """,
    "create index ix_course_organisation_id on course (organisation_id)",
    """
    create table course_edition (
        course_id uuid not null,
        edition integer not null,
        title text not null,
        published_by uuid not null,
        published_at timestamptz not null,
        constraint pk_course_edition primary key (course_id, edition),
        constraint fk_course_edition_course_id_course foreign key (course_id) references course (course_id)
    )
    """,
    "create index ix_course_edition_published_at on course_edition (published_at, course_id)",
    """
    create table lesson (
        lesson_id uuid not null,
        course_id uuid not null,
        constraint pk_lesson primary key (lesson_id),
        constraint fk_lesson_course_id_course foreign key (course_id) references course (course_id)
    )
    """,
    "create index ix_lesson_course_id on lesson (course_id)",
    """
    create table edition_lesson (
        lesson_id uuid not null,
        edition integer not null,
        course_id uuid not null,
        position integer not null,
        title text not null,
        kind text not null,
        body text,
        url text,
        constraint pk_edition_lesson primary key (lesson_id, edition),
        constraint fk_edition_lesson_course_id_edition_course_edition
            foreign key (course_id, edition) references course_edition (course_id, edition),
        constraint uq_edition_lesson_course_id_edition_position unique (course_id, edition, position),
        constraint ck_edition_lesson_kind_known check (kind in ('text', 'audio', 'video', 'quiz')),
        constraint fk_edition_lesson_lesson_id_lesson foreign key (lesson_id) references lesson (lesson_id)
    )
    """,
    """
    create table enrolment (
        person_id uuid not null,
        course_id uuid not null,
        edition integer not null,
        started_at timestamptz not null,
        finished_at timestamptz,
        constraint pk_enrolment primary key (person_id, course_id, edition),
        constraint fk_enrolment_course_id_edition_course_edition
            foreign key (course_id, edition) references course_edition (course_id, edition)
    )
    """,
    "create unique index uq_enrolment_unfinished on enrolment (person_id, course_id) where finished_at is null",
    """
    create table lesson_study (
        study_id uuid not null,
        person_id uuid not null,
        lesson_id uuid not null,
        course_id uuid not null,
        affiliation_id uuid,
        progress integer not null,
        started_at timestamptz not null,
        completed_at timestamptz,
        understood boolean,
        asked_organisation_id uuid,
        asked_at timestamptz,
        version integer not null,
        constraint pk_lesson_study primary key (study_id),
        constraint uq_lesson_study_person_id_lesson_id unique (person_id, lesson_id),
        constraint ck_lesson_study_progress_is_a_percentage check (progress between 0 and 100),
        constraint ck_lesson_study_asked_when_help_is_needed
            check ((asked_at is null) = (understood is not false)),
        constraint ck_lesson_study_asked_of_an_organisation
            check ((asked_at is null) = (asked_organisation_id is null)),
        constraint fk_lesson_study_lesson_id_lesson foreign key (lesson_id) references lesson (lesson_id)
    )
    """,
    """
    create index ix_lesson_study_open_requests on lesson_study (asked_organisation_id, lesson_id, asked_at, person_id)
    where asked_at is not null
    """,
)


def upgrade() -> None:
    messaging.create_v1(op)
    orgtree.create_v1(op)
    webapi.create_v1(op)
    for statement in TABLES:
        op.execute(statement)


def downgrade() -> None:
    for table in ("lesson_study", "enrolment", "edition_lesson", "lesson", "course_edition", "course"):
        op.execute(f"drop table {table}")
    webapi.drop_v1(op)
    orgtree.drop_v1(op)
    messaging.drop_v1(op)
