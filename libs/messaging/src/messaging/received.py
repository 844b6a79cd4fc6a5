"""An event as it reaches a handler, and how a delivery of the broker is read into one.

A credential of NATS bounds the subjects a service may publish to, and nothing else: what an event says of itself counts
only when its subject says the same. A service could also have the broker write for it into another's stream, by asking
for an answer at a subject of that stream or by having its own stream published again there. Such messages lack the
header every relay sends, or have one that the broker adds; they are foreign, and are ignored.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID, uuid5

import orjson
from asyncpg.pgproto import pgproto
from sqlalchemy.ext.asyncio import AsyncSession

from contracts import EVENT_TYPES, Event
from contracts.envelope import MAX_VERSION
from messaging import metrics
from messaging.failures import describe
from messaging.versions import EPOCH, MAX_EPOCH, ordered, own_version
from messaging.wire import read_headers

logger = logging.getLogger(__name__)

E = TypeVar("E", bound=Event)

_NAMELESS = UUID("6f1c5d0e-0d0b-5d5e-9a55-0b7f0e5c7a11")  # name space for messages without an id of their own
_MAX_TEXT = 200
_NO_DAY = date(1970, 1, 1)
_EPOCH = f"\r\n{EPOCH}:".encode()
_WRITTEN_BY_THE_BROKER = b"\r\nNats-Stream:"
_PARTITION = len("p00.")
_uuid: Callable[[str], UUID] = pgproto.UUID  # a uuid.UUID that is made in a tenth of the time


class Received(NamedTuple, Generic[E]):
    """One event for a handler: the data, its aggregate's version, and the envelope's attributes; `time` is aware.

    `version` orders the aggregate's events, over the restores of its owner too (`messaging.versions`).
    """

    event: E
    version: int
    event_id: UUID
    time: datetime
    actor: UUID | None
    on_behalf_of: UUID | None
    traceparent: str | None

    @property
    def is_first(self) -> bool:
        """Say whether the aggregate began with this event."""
        return own_version(self.version) == 1


Handler = Callable[[AsyncSession, Sequence[Received[Any]]], Awaitable[None]]
"""Takes events of one type, in order, inside the transaction that also marks them as received."""

Handlers = Mapping[type[Event], Handler]


class Delivery(NamedTuple):
    """One message as the broker delivered it; `headers` is the block as it came, `reply` takes the acknowledgement."""

    subject: str
    payload: bytes
    headers: bytes = b""
    reply: bytes = b""
    stream_seq: int = 0


class Arrival(NamedTuple):
    """A delivery, read: `received` for a handler, else the `reason` it has none, or neither when nobody here cares.

    `day` is a function of the event alone, so that each delivery of it finds the same inbox row.
    """

    delivery: Delivery
    event_id: UUID
    day: date
    type: str | None
    aggregate_id: UUID | None
    version: int | None
    received: Received[Any] | None
    reason: str | None
    error: str | None


class Unparsable(Exception):
    """A message is no envelope; the text says which attribute is wrong, never its value."""


class Foreign(Exception):
    """A message stands in a stream whose service did not publish it, or speaks of what is another's."""


class Reader:
    """Reads deliveries for those who care for some types of events, e.g. have handlers for them."""

    def __init__(self, event_types: Iterable[type[Event]]) -> None:
        types = list(event_types)
        self._handled = {each.type: each.__pydantic_validator__.validate_python for each in types}
        self._origins = {each.type: _origin(each.type) for each in types}

    def read(self, delivery: Delivery) -> Arrival:
        """Read one delivery; whatever is wrong with it is told in the arrival, nothing is raised."""
        try:
            envelope = _parse(delivery.payload)
            event_id = _uuid(envelope["id"])
            time = _aware(envelope["time"])
            day = (time if time.tzinfo is UTC else time.astimezone(UTC)).date()
            version = ordered(_epoch(delivery.headers), _version(envelope["aggregateversion"]))
            event_type = envelope["type"]
            validate = self._handled.get(event_type)
            if validate is None:
                event_type = _text(event_type)
            aggregate = envelope["subject"]
            aggregate_id = _uuid(aggregate.rpartition("/")[2])
            self._require_own(delivery, event_type, aggregate)
            actor, on_behalf_of = envelope.get("actor"), envelope.get("onbehalfof")
            actor = _uuid(actor) if actor is not None else None
            on_behalf_of = _uuid(on_behalf_of) if on_behalf_of is not None else None
            traceparent = envelope.get("traceparent")
            traceparent = _text(traceparent) if traceparent is not None else None
            data = envelope["data"]
        except Foreign:
            return _foreign(delivery)
        except Exception as error:  # noqa: BLE001 - whatever a message holds, it must not stop those after it
            return _nameless(delivery, error)
        if validate is None:
            reason = None if event_type in EVENT_TYPES else "unknown_type"
            return Arrival(delivery, event_id, day, event_type, aggregate_id, version, None, reason, None)
        try:
            event = validate(data)
        except Exception as error:  # noqa: BLE001 - as above; a validator may raise anything
            problem = describe(error)
            return Arrival(delivery, event_id, day, event_type, aggregate_id, version, None, "unparsable", problem)
        received = Received(event, version, event_id, time, actor, on_behalf_of, traceparent)
        return Arrival(delivery, event_id, day, event_type, aggregate_id, version, received, None, None)

    def _require_own(self, delivery: Delivery, event_type: str, aggregate: str) -> None:
        """Raise `Foreign` unless the delivery's subject confirms whose event this is, and of which aggregate."""
        place, kind = self._origins.get(event_type) or _origin(event_type)
        subject = delivery.subject
        if (
            not subject.startswith(place)
            or not aggregate.startswith(kind)
            or subject[len(place) + _PARTITION :] != aggregate.replace("/", ".")
            or _WRITTEN_BY_THE_BROKER in delivery.headers
        ):
            raise Foreign


def _origin(event_type: str) -> tuple[str, str]:
    """Give how the subject of such an event begins, and how its envelope's `subject` does."""
    _, service, aggregate = (*event_type.split(".", 3), "", "")[:3]
    return f"evt.{service}.", f"{aggregate}/"


def waves(arrivals: Sequence[Arrival]) -> list[dict[str, list[Received[Any]]]]:
    """Sort events into waves of lists by type, so that each aggregate's events stay in order.

    Inside a wave an aggregate has events of one type only, hence lists of a wave may be handled in any order; an event
    whose type differs from its aggregate's last goes to the next wave.
    """
    result: list[dict[str, list[Received[Any]]]] = []
    last: dict[UUID | None, tuple[int, str | None]] = {}
    for arrival in arrivals:
        received, event_type = arrival.received, arrival.type
        if received is None or event_type is None:
            raise ValueError("only what has a handler goes into waves")
        number, last_type = last.get(arrival.aggregate_id, (0, event_type))
        if last_type != event_type:
            number += 1
        last[arrival.aggregate_id] = (number, event_type)
        if number == len(result):
            result.append({})
        wave = result[number]
        if event_type in wave:
            wave[event_type].append(received)
        else:
            wave[event_type] = [received]
    return result


def _parse(payload: bytes) -> dict[str, Any]:
    try:
        envelope = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise Unparsable("not JSON") from error
    if not isinstance(envelope, dict) or envelope.get("specversion") != "1.0":
        raise Unparsable("not a CloudEvent 1.0")
    return envelope


def _aware(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise Unparsable("time has no zone")
    return time


def _version(number: Any) -> int:
    if type(number) is not int or not 0 <= number <= MAX_VERSION:
        raise Unparsable("aggregateversion is not 0, 1, 2, 3 ...")
    return number


def _epoch(headers: bytes) -> int:
    if _EPOCH not in headers:
        return 1
    epoch = int(read_headers(headers)[EPOCH])
    if not 1 <= epoch <= MAX_EPOCH:
        raise Unparsable("the epoch is not 1, 2, 3 ...")
    return epoch


def _text(value: Any) -> str:
    """Give an attribute that is kept as text: PostgreSQL has no NUL, and 200 characters are more than any needs."""
    if type(value) is not str or len(value) > _MAX_TEXT or "\0" in value:
        raise Unparsable("an attribute is no short text")
    return value


def _nameless(delivery: Delivery, error: Exception) -> Arrival:
    """Give a message that is no envelope an id it keeps at every delivery, and its aggregate if the subject tells."""
    message_id = read_headers(delivery.headers).get("Nats-Msg-Id")
    if message_id is None and delivery.stream_seq:
        return _foreign(delivery)
    try:
        event_id = UUID(message_id)
    except (TypeError, ValueError):
        event_id = uuid5(_NAMELESS, f"{delivery.subject}/{delivery.stream_seq}")
    try:
        aggregate_id = UUID(delivery.subject.rpartition(".")[2])
    except ValueError:
        aggregate_id = None
    problem = str(error) if isinstance(error, Unparsable) else f"envelope: {describe(error)}"
    return Arrival(delivery, event_id, _NO_DAY, None, aggregate_id, None, None, "unparsable", problem)


def _foreign(delivery: Delivery) -> Arrival:
    """Let a foreign message go by: to park it would make the aggregate it names wait behind it."""
    metrics.FOREIGN.inc()
    logger.error("foreign_message", extra={"stream_seq": delivery.stream_seq})
    event_id = uuid5(_NAMELESS, f"{delivery.subject}/{delivery.stream_seq}")
    return Arrival(delivery, event_id, _NO_DAY, None, None, None, None, None, None)
