"""Names and settings of streams and consumers, and their declaration on the broker."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zlib import crc32

import orjson
from nats.errors import Error as NatsError
from nats.js.errors import APIError, NotFoundError

from contracts import Event
from messaging.connection import NatsConnection

PARTITIONS = 16
BATCH_SIZE = 2000
RETENTION = timedelta(days=14)
DUPLICATE_WINDOW = timedelta(minutes=10)
ACK_WAIT = timedelta(seconds=60)
MAX_ACK_PENDING = 4 * BATCH_SIZE
ADVISORY_STREAM = "ADVISORIES"
ADVISORY_SUBJECTS = [
    "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>",
    "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.>",
    "$JS.EVENT.ADVISORY.STREAM.BATCH_ABANDONED.>",
]
_STREAM_NAME_IN_USE = 10058


def stream_name(service: str) -> str:
    """Name the stream a service publishes to, e.g. `EVT_MEMBERS`."""
    return f"EVT_{service.upper()}"


def partition_of(aggregate_id: UUID) -> int:
    """Give the partition, 0 to 15, that all events of this aggregate share, in every process and version."""
    return crc32(aggregate_id.bytes) % PARTITIONS


def subject_of(event: Event) -> str:
    """Give the subject an event is published under: `evt.<service>.<pNN>.<aggregate>.<id>`."""
    aggregate_id = event.aggregate_id
    return f"evt.{event.publisher()}.p{partition_of(aggregate_id):02d}.{event.aggregate}.{aggregate_id}"


def filters_of(event_types: Iterable[type[Event]]) -> dict[str, list[str]]:
    """Give, for each publishing service, the subjects that carry the aggregates of these event types."""
    filters: dict[str, set[str]] = {}
    for event_type in event_types:
        service = event_type.publisher()
        filters.setdefault(service, set()).add(f"evt.{service}.*.{event_type.aggregate}.*")
    return {service: sorted(subjects) for service, subjects in sorted(filters.items())}


def _nanoseconds(span: timedelta) -> int:
    return int(span / timedelta(microseconds=1)) * 1000


def stream_configuration(service: str, *, replicas: int = 1) -> dict[str, Any]:
    """Give the settings of a service's stream, as JetStream's API takes them."""
    return {
        "name": stream_name(service),
        "subjects": [f"evt.{service}.>"],
        "storage": "file",
        "retention": "limits",
        "max_age": _nanoseconds(RETENTION),
        "discard": "new",
        "deny_delete": True,
        "duplicate_window": _nanoseconds(DUPLICATE_WINDOW),
        "allow_atomic": True,
        "allow_direct": True,
        "num_replicas": replicas,
    }


def consumer_configuration(name: str, subjects: list[str]) -> dict[str, Any]:
    """Give the settings of a durable pull consumer."""
    return {
        "name": name,
        "durable_name": name,
        "deliver_policy": "all",
        "ack_policy": "explicit",
        "ack_wait": _nanoseconds(ACK_WAIT),
        "max_deliver": -1,
        "max_ack_pending": MAX_ACK_PENDING,
        "replay_policy": "instant",
        "num_replicas": 0,  # as many as its stream has
        "filter_subjects": subjects,
    }


async def request(nats: NatsConnection, subject: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Call one method of JetStream's API and give its answer.

    Raises `nats.js.errors.APIError` for a refusal, `nats.errors.Error` when nobody answers.
    """
    payload = orjson.dumps(body) if body is not None else b""
    message = await nats.request(f"$JS.API.{subject}", payload, seconds=5)
    answer: dict[str, Any] = orjson.loads(message.data)
    if "error" in answer:
        APIError.from_error(answer["error"])
    return answer


async def _declare(nats: NatsConnection, configuration: dict[str, Any]) -> None:
    name = configuration["name"]
    try:
        await request(nats, f"STREAM.CREATE.{name}", configuration)
    except APIError as error:
        if error.err_code != _STREAM_NAME_IN_USE:
            raise
        await request(nats, f"STREAM.UPDATE.{name}", configuration)


async def declare_stream(nats: NatsConnection, service: str, *, replicas: int = 1) -> None:
    """Make the service's stream, or bring its settings to what they should be.

    Raises `nats.js.errors.APIError` when the broker refuses, e.g. more replicas than it has nodes.
    """
    await _declare(nats, stream_configuration(service, replicas=replicas))


async def declare_advisories(nats: NatsConnection, *, replicas: int = 1) -> None:
    """Make the stream that keeps the broker's advisories of lost deliveries and abandoned batches for 14 days."""
    configuration = {
        "name": ADVISORY_STREAM,
        "subjects": ADVISORY_SUBJECTS,
        "storage": "file",
        "retention": "limits",
        "max_age": _nanoseconds(RETENTION),
        "discard": "old",
        "max_msgs": 100_000,
        "num_replicas": replicas,
    }
    await _declare(nats, configuration)


async def declare_consumer(nats: NatsConnection, stream: str, name: str, subjects: list[str]) -> dict[str, Any]:
    """Make the durable consumer or adjust its settings; gives the broker's consumer information.

    Raises `nats.js.errors.NotFoundError` while the publishing service has not declared its stream.
    """
    body = {"stream_name": stream, "config": consumer_configuration(name, subjects)}
    return await request(nats, f"CONSUMER.CREATE.{stream}.{name}", body)


async def left_for(nats: NatsConnection, stream: str, name: str) -> int:
    """Give how much the stream holds for a durable consumer that it has not acknowledged."""
    info = await request(nats, f"CONSUMER.INFO.{stream}.{name}")
    return int(info["num_pending"] + info["num_ack_pending"])


class Held(NamedTuple):
    """What a stream holds."""

    messages: int
    bytes: int


async def holding(nats: NatsConnection, service: str) -> Held | None:
    """Give what a service's stream holds; None where there is none, or nobody tells."""
    try:
        state = (await request(nats, f"STREAM.INFO.{stream_name(service)}"))["state"]
    except (NatsError, OSError):
        return None
    return Held(int(state["messages"]), int(state["bytes"]))


async def delete_consumer(nats: NatsConnection, stream: str, name: str) -> None:
    """Remove a durable consumer, if there is one."""
    with suppress(NotFoundError):
        await request(nats, f"CONSUMER.DELETE.{stream}.{name}")
