"""What a person has done, in one table for all kinds of items, and the parts that each item asks to be done."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

DONE = (
    """
    create table home_done (
        person_id uuid not null,
        kind text not null,
        subject_id uuid not null,
        part_id uuid not null,
        version bigint not null,
        done boolean not null,
        constraint pk_home_done primary key (person_id, kind, subject_id, part_id)
    )
    """,
    """
    insert into home_done (person_id, kind, subject_id, part_id, version, done)
    select person_id, 'activity.attend', activity_id, activity_id, version, attended from home_participation
    union all select person_id, 'course.study', course_id, lesson_id, version, completed from home_study
    """,
    "drop table home_participation",
    "drop table home_study",
    "alter table home_item add column parts uuid[] not null default '{}'",
    "alter table home_item alter column parts drop default",
    "update home_item set parts = array[subject_id] where kind = 'activity.attend'",
    """
    update home_item set parts = array(select lesson::uuid from jsonb_array_elements_text(facts -> 'lesson_ids') lesson)
    where kind = 'course.study'
    """,
)

BACK = (
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
    # Who attended without having registered is no longer known; `rebuild-home` sets it right, and no home asks.
    """
    insert into home_participation
    select person_id, subject_id, version, true, done from home_done where kind = 'activity.attend'
    """,
    """
    insert into home_study
    select person_id, subject_id, part_id, version, done from home_done where kind = 'course.study'
    """,
    "drop table home_done",
    "alter table home_item drop column parts",
)


def upgrade() -> None:
    for statement in DONE:
        op.execute(statement)


def downgrade() -> None:
    for statement in BACK:
        op.execute(statement)
