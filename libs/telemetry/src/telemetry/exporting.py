"""Spans recorded and sent to a collector, with nothing in them but codes and numbers."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Status
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from telemetry.privacy import is_code

# Strings leave under these attributes alone: codes of the semantic conventions, and our own.
_CODE_ATTRIBUTES: Final = (
    "code.", "db.namespace", "db.operation.name", "db.system", "error.type", "exception.type", "http.request.method",
    "http.route", "messaging.", "network.", "service.", "xiangqiao.",
)  # fmt: skip


def _public_attributes(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        key: value
        for key, value in (attributes or {}).items()
        if isinstance(value, bool | int | float)
        or (isinstance(value, str) and key.startswith(_CODE_ATTRIBUTES) and is_code(value))
    }


class PrivateExporter(SpanExporter):
    """Hands spans on with nothing in them but codes and numbers: no message of an exception, no text, no address."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send the cleaned copies of `spans`."""
        return self._exporter.export([self._cleaned(span) for span in spans])

    def shutdown(self) -> None:
        """Close the exporter behind."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush the exporter behind."""
        return self._exporter.force_flush(timeout_millis)

    @staticmethod
    def _cleaned(span: ReadableSpan) -> ReadableSpan:
        return ReadableSpan(
            name=span.name,
            context=span.get_span_context(),
            parent=span.parent,
            resource=span.resource,
            attributes=_public_attributes(span.attributes),
            events=[Event(e.name, _public_attributes(e.attributes), e.timestamp) for e in span.events],
            links=span.links,
            kind=span.kind,
            status=Status(span.status.status_code),
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )


def record_traces(service: str, otlp_endpoint: str, sample_ratio: float) -> TracerProvider:
    """Make this process record spans and send them to `otlp_endpoint`, the base URL of an OTLP/HTTP collector."""
    propagate.set_global_textmap(TraceContextTextMapPropagator())  # no baggage: others' free text stays outside
    address = otlp_endpoint.rstrip("/")
    exporter = OTLPSpanExporter(endpoint=address if address.endswith("/v1/traces") else f"{address}/v1/traces")
    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(sample_ratio)),
        resource=Resource.create({"service.name": service, "service.namespace": "xiangqiao"}),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(BatchSpanProcessor(PrivateExporter(exporter)))
    trace.set_tracer_provider(provider)
    return provider
