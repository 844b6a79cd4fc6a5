"""An OTLP/HTTP collector in the test process: keeps the spans that processes export, so that a test can read them."""

import asyncio
import gzip
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue


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


class SpanReceiver:
    """Listens while the `with` block lasts; `endpoint` is the base address for `XIANGQIAO_OTLP_ENDPOINT`."""

    def __init__(self) -> None:
        self._received: list[ReceivedSpan] = []
        self._exports: list[bytes] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> "SpanReceiver":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def endpoint(self) -> str:
        """The collector's base address; exporters add `/v1/traces`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

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

    def _receive(self, body: bytes) -> None:
        request = ExportTraceServiceRequest.FromString(body)
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
            self._exports.append(body)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            """Takes traces; accepts and forgets metrics and logs."""

            def do_POST(self) -> None:
                """Take one export."""
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                if self.path.endswith("/v1/traces"):
                    receiver._receive(body)
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Keep the tests' output clean."""

        return Handler


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
