"""`python -m tests.faults.staged`: relay and consumer of a stage as a process of its own, to be killed for real."""

import asyncio
import logging
import os
import signal

from database import Database
from messaging import connect
from tests.faults.stage import Stage, effects_consumer


async def run() -> None:
    """Work on the database and the broker that the environment names, until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    database = Database(os.environ["XIANGQIAO_DATABASE_URL"], application_name="staged")
    nats = await connect(os.environ["XIANGQIAO_NATS_URL"], name="staged")
    await Stage(database, nats).worker(effects_consumer()).run(stop)
    await nats.close()
    await database.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    asyncio.run(run())
