"""Events of the other services, as the gateway's handlers receive them."""

import json
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from contracts import Envelope, Event, members
from database import Database, new_id
from messaging import Handler, Received, own_version

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
GOLDEN = Path(__file__).resolve().parents[3] / "tests" / "contracts" / "golden"
Numbered = tuple[Event, int]


def golden(event: type[Event]) -> Event:
    """Give the example of an event that its golden file holds."""
    written = json.loads((GOLDEN / f"{event.type}.json").read_text("utf-8"))
    return Envelope.model_validate(written).event()


def established(organisation_id: UUID, parent_id: UUID | None, level: str = "village") -> members.OrganisationState:
    return members.OrganisationEstablishedV1(
        organisation_id=organisation_id,
        parent_id=parent_id,
        kind="branch" if level == "branch" else "committee",
        level=level,
        name=f"某{level}",
    )


def composed(organisation_id: UUID, *, away: int = 0, **bands: int) -> members.CompositionCountedV1:
    total = sum(bands.values())
    return members.CompositionCountedV1(
        organisation_id=organisation_id,
        members=total,
        away=away,
        without_smartphone=0,
        stages={"full": total},
        age_bands=bands,
    )


def received(event: Event, version: int, time: datetime = NOW) -> Received[Any]:
    return Received(event, version, new_id(), time, None, None, None)


async def hand_over(
    database: Database, handlers: Mapping[type[Event], Handler], events: Sequence[Numbered], *, batch: int = 7
) -> None:
    """Give `events` to their handlers in small transactions, in this order."""
    for start in range(0, len(events), batch):
        async with database.transaction() as session:
            for event, version in events[start : start + batch]:
                time = NOW + timedelta(seconds=own_version(version))
                await handlers[type(event)](session, [received(event, version, time)])


def disturbed(events: Sequence[Numbered], seed: int) -> list[Numbered]:
    """Give the same events twice each and out of order."""
    twice = [*events, *events]
    random.Random(seed).shuffle(twice)  # noqa: S311 - a test's order, not a secret
    return twice
