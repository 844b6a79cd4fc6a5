"""Events handed to a service's handlers as its consumer would, for tests without a broker."""

from collections.abc import Mapping

from contracts import Event
from database import Database, new_id, utc_now
from messaging import Handler, Received


async def tell(database: Database, handlers: Mapping[type[Event], Handler], *events: Event, version: int = 1) -> None:
    """Hand events over, each as the `version`-th of its aggregate, in one transaction."""
    async with database.transaction() as session:
        for event in events:
            received = Received(event, version, new_id(), utc_now(), None, None, None)
            await handlers[type(event)](session, [received])
