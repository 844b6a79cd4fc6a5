"""Traces go on across the outbox and the broker; for what nobody records, next to nothing is done."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from messaging.received import Received

_tracer = trace.get_tracer("messaging")
_propagator = TraceContextTextMapPropagator()
_MAX_LINKS = 100


def _context_of(traceparent: str) -> Context:
    return _propagator.extract({"traceparent": traceparent})


def _is_sampled(traceparent: str) -> bool:
    return traceparent[-1:] in "13579bdf"  # the lowest of the flags; others may be set beside it


@contextmanager
def handling(consumer: str, event_type: str, received: Sequence[Received[Any]]) -> Iterator[None]:
    """Record the handling of a list of events: one span for each sampled trace among them, as its continuation.

    What the handler does and appends belongs to the first of them; further ones are told by spans of their own.
    """
    sampled = {item.traceparent: item for item in received if item.traceparent and _is_sampled(item.traceparent)}
    if not sampled:
        yield
        return
    name = f"process {event_type}"
    attributes: dict[str, str | int] = {
        "messaging.system": "nats",
        "messaging.operation.type": "process",
        "messaging.consumer.group.name": consumer,
        "messaging.batch.message_count": len(received),
    }
    parents = list(sampled)
    others = [
        _tracer.start_span(name, context=_context_of(parent), kind=SpanKind.CONSUMER, attributes=attributes)
        for parent in parents[1:_MAX_LINKS]
    ]
    spans = [trace.get_current_span(_context_of(parent)) for parent in parents[1:_MAX_LINKS]]
    links = [Link(span.get_span_context()) for span in spans]
    try:
        with _tracer.start_as_current_span(
            name, context=_context_of(parents[0]), kind=SpanKind.CONSUMER, links=links, attributes=attributes
        ):
            yield
    finally:
        for span in others:
            span.end()
