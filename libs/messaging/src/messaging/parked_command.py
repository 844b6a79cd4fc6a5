"""What an operator does with parked events on a service's command line: list them, send them again, give one up."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from uuid import UUID

from database import Database
from messaging.parked import MAX_PAGE, Parked, discard, list_parked, resend

HEADINGS = ("id", "consumer", "event", "type", "aggregate", "version", "state", "attempts", "next at", "reason")
_NONE_SUCH = "no parked event is of that id"


def described(row: Parked) -> tuple[str, ...]:
    """Give what a list shows of a parked event, one text for each of `HEADINGS`."""
    next_at = row.next_at.isoformat(timespec="seconds") if row.next_at else None
    reason = f"{row.reason}: {row.error}" if row.error else row.reason
    what = (row.id, row.consumer, row.event_id, row.type, row.aggregate_id, row.aggregate_version)
    return tuple("" if each is None else str(each) for each in (*what, row.state, row.attempts, next_at, reason))


class ParkedCommand:
    """See events that could not be processed, have them tried again, or give one up."""

    def declare(self, parser: ArgumentParser) -> None:
        """Add the three things that can be done to the command's parser."""
        chosen = parser.add_subparsers(dest="what", required=True, metavar="list|resend|discard")
        listing, resending, discarding = (
            chosen.add_parser(name, help=meaning, description=meaning)
            for name, meaning in {
                "list": "show what is parked, page by page, oldest first",
                "resend": "have an event, or all of an aggregate, tried again within seconds, in order",
                "discard": "give one event up, so that those behind it go on; it stays in the table as evidence",
            }.items()
        )
        for each in (listing, resending, discarding):
            each.add_argument("--consumer", help="of this reader alone")
        listing.add_argument("--after", type=int, default=0, metavar="ID", help="begin behind this id of the list")
        listing.add_argument("--limit", type=_limit, default=50, metavar="N", help=f"at most so many, 1 to {MAX_PAGE}")
        one = resending.add_mutually_exclusive_group(required=True)
        one.add_argument("--event", type=UUID, metavar="UUID", help="the event, with those that wait behind it")
        one.add_argument("--aggregate", type=UUID, metavar="UUID", help="the aggregate whose events wait")
        discarding.add_argument("--event", type=UUID, required=True, metavar="UUID", help="the event")

    async def __call__(self, _: object, database: Database, arguments: Namespace) -> str:
        """Do it in the service's database and tell what came of it."""
        consumer: str | None = arguments.consumer
        if arguments.what == "list":
            return await _page(database, consumer, arguments.after, arguments.limit)
        if arguments.what == "resend":
            count = await resend(
                database, event_id=arguments.event, aggregate_id=arguments.aggregate, consumer=consumer
            )
            return f"{count} events are tried again" if count else _NONE_SUCH
        return "given up" if await discard(database, arguments.event, consumer=consumer) else _NONE_SUCH


async def _page(database: Database, consumer: str | None, after: int, limit: int) -> str:
    rows = await list_parked(database, consumer=consumer, after=after, limit=limit)
    if not rows:
        return "nothing is parked" if after == 0 else "nothing more is parked"
    lines = _aligned([HEADINGS, *(described(row) for row in rows)])
    if await list_parked(database, consumer=consumer, after=rows[-1].id, limit=1):
        lines.append(f"there is more: --after {rows[-1].id}")
    return "\n".join(lines)


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(text) for text in column) for column in zip(*rows, strict=True)]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _limit(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MAX_PAGE:
        raise ArgumentTypeError(f"it is a number from 1 to {MAX_PAGE}")
    return int(text)
