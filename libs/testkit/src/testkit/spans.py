"""An OTLP/HTTP collector in the test process: keeps the spans that processes export, so that a test can read them."""

import asyncio
import gzip
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from standalone.loopback import Answer, Asked, LoopbackServer


@dataclass(frozen=True)
class ReceivedSpan:
    """A span as it was exported; ids are lower-case hex, `links` are the span ids it points to."""

    service: str
    name: str
    kind: int
    trace_id: str
    span_id: str
    parent_id: str
    links: tuple[str, ...]
    attributes: dict[str, Any] = field(hash=False)


class SpanReceiver(LoopbackServer):
    """Listens while the `with` block lasts; `url` is the base address for `XIANGQIAO_OTLP_ENDPOINT`."""

    def __init__(self) -> None:
        self._received: list[ReceivedSpan] = []
        self._exports: list[bytes] = []
        self._lock = threading.Lock()
        super().__init__()

    @property
    def spans(self) -> list[ReceivedSpan]:
        """All spans received so far, in order of arrival."""
        with self._lock:
            return list(self._received)

    @property
    def exports(self) -> list[bytes]:
        """Every export of traces as it came, uncompressed: all that left the processes."""
        with self._lock:
            return list(self._exports)

    def of_trace(self, trace_id: str) -> list[ReceivedSpan]:
        """The spans of one trace (lower-case hex)."""
        return [span for span in self.spans if span.trace_id == trace_id]

    def edges(self, trace_id: str | None = None) -> set[tuple[str, str]]:
        """The pairs (service, service it led to), by parents and links, over all traces or one."""
        spans = self.spans
        owner = {span.span_id: span.service for span in spans}
        return {
            (owner[cause], span.service)
            for span in spans
            if trace_id in {None, span.trace_id}
            for cause in (span.parent_id, *span.links)
            if cause in owner and owner[cause] != span.service
        }

    async def wait_for(
        self, condition: Callable[[list[ReceivedSpan]], object], *, seconds: float = 15
    ) -> list[ReceivedSpan]:
        """Return the spans once the condition holds for them. Raises TimeoutError with the names seen."""
        try:
            async with asyncio.timeout(seconds):
                while not condition(spans := self.spans):  # noqa: ASYNC110 - they arrive in another thread
                    await asyncio.sleep(0.05)
                return spans
        except TimeoutError as error:
            seen = sorted({f"{span.service}: {span.name}" for span in self.spans})
            raise TimeoutError(f"spans seen in {seconds} s: {seen}") from error

    def respond(self, asked: Asked) -> Answer:
        """Take traces; accept and forget metrics and logs."""
        body = gzip.decompress(asked.body) if asked.headers.get("content-encoding") == "gzip" else asked.body
        is_trace = asked.path.endswith("/v1/traces")
        request = ExportTraceServiceRequest.FromString(body if is_trace else b"")
        found = [
            ReceivedSpan(
                service=str(_attributes(resource.resource.attributes).get("service.name", "")),
                name=span.name,
                kind=span.kind,
                trace_id=span.trace_id.hex(),
                span_id=span.span_id.hex(),
                parent_id=span.parent_span_id.hex(),
                links=tuple(link.span_id.hex() for link in span.links),
                attributes=_attributes(span.attributes),
            )
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
        with self._lock:
            self._received.extend(found)
            self._exports += [body] if is_trace else []
        return Answer(b"", "application/x-protobuf")


def _attributes(pairs: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    pair: KeyValue
    for pair in pairs:
        found[pair.key] = _value(pair.value)
    return found


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(each) for each in value.array_value.values]
    return getattr(value, kind) if kind else None
