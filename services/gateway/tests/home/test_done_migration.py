"""What people had done before it stood in one table is done afterwards too, and on the way back."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from contracts import activities
from database import Database
from gateway.worker import CONSUMERS

from ..events import hand_over
from .test_home import ACTIVITY, BASE, BRANCH, COURSE, HANDLERS, LESSON, MEMBER, STRANGER, activity, course, home

MIGRATIONS = Path(__file__).parents[2] / "migrations"
OLD_ROWS = (
    ("insert into home_participation values (:person, :activity, 1, true, true)", MEMBER),
    ("insert into home_participation values (:person, :activity, 1, true, false)", STRANGER),
    ("insert into home_study values (:person, :course, :lesson, 3, true)", STRANGER),
)


async def move(url: str, *targets: str, rows: bool = False) -> None:
    """Take the database down or up to these revisions; with `rows`, write what people did at the first."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))

    def run(connection: Connection) -> None:
        config.attributes["connection"] = connection
        for target in targets:
            (command.upgrade if target == "head" else command.downgrade)(config, target)
            if target != "head" and rows:
                for statement, person in OLD_ROWS:
                    ids = {"person": person, "activity": ACTIVITY, "course": COURSE, "lesson": LESSON}
                    connection.execute(text(statement), ids)

    engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"))
    async with engine.begin() as connection:
        await connection.run_sync(run)
    await engine.dispose()


async def test_what_was_done_is_carried_over(database: Database, database_url: str) -> None:
    await hand_over(database, HANDLERS, [*BASE, (activity(), 1), (course(), 1)])
    await move(database_url, "0006", "head", rows=True)
    assert await home(database, MEMBER) == ["course.study"]
    assert await home(database, STRANGER) == []  # of another branch, and through with the course
    late = activities.ParticipantRegisteredV1(
        participation_id=BRANCH,
        activity_id=ACTIVITY,
        person_id=MEMBER,
        organisation_id=BRANCH,
        affiliation_id=BRANCH,
        registered=True,
        attended=False,
    )
    await hand_over(database, CONSUMERS[1].handlers, [(late, 1)])
    assert await home(database, MEMBER) == ["course.study"]
    await move(database_url, "0006", "head")
    assert await home(database, MEMBER) == ["course.study"]
    assert await home(database, STRANGER) == []
