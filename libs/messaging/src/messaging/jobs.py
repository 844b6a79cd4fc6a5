"""The jobs that every worker has for messaging's own tables."""

from datetime import timedelta

from background import Job
from database import Database, closing, utc_now
from messaging import metrics, partitions


async def keep_partitions(database: Database) -> None:
    """Make the coming days' partitions of outbox and inbox and drop the outdated."""
    async with closing(database.connect()) as connection:
        await partitions.maintain(connection, utc_now().date())


async def count_parked(database: Database) -> None:
    """Set the gauges of events put aside."""
    async with database.look() as connection:
        counts = await connection.fetch("select consumer, state, count(*) from parked group by consumer, state")
    metrics.PARKED.clear()
    for consumer, state, count in counts:
        metrics.PARKED.labels(consumer, state).set(count)


async def count_lost(database: Database) -> None:
    """Set the gauges of what a restored database forgot."""
    async with database.look() as connection:
        [row] = await connection.fetch(_LOST)
    metrics.LOST_EVENTS.labels(database.application_name).set(row["lost"])
    metrics.RECOVERY_OPEN.labels(database.application_name).set(row["open"])


async def measure_database(database: Database) -> None:
    """Set the gauge of the database's size."""
    async with database.look() as connection:
        size = await connection.fetchval("select pg_database_size(current_database())")
    metrics.DATABASE_BYTES.labels(database.application_name).set(size)


_LOST = """
    select (select count(*) from lost_event where state = 'found') as lost,
           (select count(*) from outbox_recovery where ended_at is null) as open
"""

OWN_JOBS = (
    Job("messaging.partitions", timedelta(hours=1), keep_partitions),
    Job("messaging.parked", timedelta(seconds=15), count_parked, rests=True),
    Job("messaging.lost", timedelta(seconds=15), count_lost, rests=True),
    Job("messaging.database_size", timedelta(minutes=5), measure_database),
)
