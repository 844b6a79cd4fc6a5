"""What an operator does about a recovery on a service's command line: see it, withdraw one thing, accept the rest."""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from uuid import UUID

from database import Database, closing, count_of
from messaging.settling import withdraw
from messaging.telling import Told

_OPEN = "select stream, begun_at from outbox_recovery where ended_at is null"
_COUNTS = "select aggregate, state, count(*) from lost_event group by aggregate, state order by aggregate, state"
_ACCEPT = "update lost_event set state = 'accepted', settled_at = now() where state = 'found'"
_END = "update outbox_recovery set ended_at = now() where ended_at is null"
_NONE_SUCH = "nothing that was lost and is not settled is of that id"


class RecoveryCommand:
    """See what a restored database forgot and what became of it; withdraw one aggregate, or accept what is left."""

    def __init__(self, told: Sequence[Told]) -> None:
        self._told = told

    def declare(self, parser: ArgumentParser) -> None:
        """Add the three things that can be done to the command's parser."""
        chosen = parser.add_subparsers(dest="what", required=True, metavar="status|withdraw|accept")
        meanings = {
            "status": "count what was lost, by kind and by what became of it",
            "withdraw": "have others forget one lost aggregate that this service has no more",
            "accept": "end the recovery with what is not settled left as it is; it stays in the table as evidence",
        }
        parsers = {name: chosen.add_parser(name, help=text, description=text) for name, text in meanings.items()}
        parsers["withdraw"].add_argument("--aggregate", type=UUID, required=True, metavar="UUID", help="its id")

    async def __call__(self, _: object, database: Database, arguments: Namespace) -> str:
        """Do it in the service's database and tell what came of it."""
        if arguments.what == "withdraw":
            return "withdrawn" if await withdraw(database, self._told, arguments.aggregate) else _NONE_SUCH
        async with closing(database.connect()) as connection:
            if arguments.what == "accept":
                async with connection.transaction():
                    accepted = count_of(await connection.execute(_ACCEPT))
                    await connection.execute(_END)
                return f"{accepted} events are left as they are"
            lines = [f"{each} {state}: {count}" for each, state, count in await connection.fetch(_COUNTS)]
            begun = [f"{stream}: since {at:%Y-%m-%d %H:%M} UTC" for stream, at in await connection.fetch(_OPEN)]
        return "\n".join([*(begun or ["no recovery is under way"]), *lines])
