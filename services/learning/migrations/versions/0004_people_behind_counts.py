"""The people behind the counts, of the open requests for help among them."""

from alembic import op

from orgtree import migrations as orgtree

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# What was noted without its person is noted anew: the next fold brings the people in.
NOTE_PEOPLE = """
insert into rollup_delta (organisation_id, measure, delta, person)
select asked_organisation_id, 'help.' || lesson_id, noted.delta,
    case when noted.delta > 0 then person_mark(person_id) end
from lesson_study cross join (values (1), (-1)) as noted (delta) where asked_at is not null
"""


def upgrade() -> None:
    orgtree.create_v2(op)
    op.execute(NOTE_PEOPLE)


def downgrade() -> None:
    orgtree.drop_v2(op)
