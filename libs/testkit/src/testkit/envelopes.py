"""Envelopes as a service writes them, made from events alone: what tests of consumers are sent."""

from datetime import datetime
from uuid import UUID

from contracts import Envelope, Event, Origin

_NO_ORIGIN = Origin()


def around(event: Event, *, event_id: UUID, version: int, time: datetime, cause: Origin = _NO_ORIGIN) -> Envelope:
    """Wrap `event`, the `version`-th of its aggregate, as it happened at `time` (aware)."""
    return Envelope(
        id=event_id,
        source=f"/services/{event.publisher()}",
        type=event.type,
        subject=f"{event.aggregate}/{event.aggregate_id}",
        time=time,
        aggregateversion=version,
        actor=cause.actor,
        onbehalfof=cause.on_behalf_of,
        traceparent=cause.traceparent,
        data=event.model_dump(mode="json"),
    )
