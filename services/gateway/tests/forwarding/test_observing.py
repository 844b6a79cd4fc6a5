"""What is told about forwarding: spans, metrics and log lines, none of them with a path's ids or a query."""

import logging
import re

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import telemetry

from .door import Door
from .raw_service import RawService, answering

SECRET = "11010119900307123X"


def metric(name: str, **labels: str) -> float:
    """Read a sample out of the exposition."""
    content = telemetry.metrics_response()[0].decode()
    wanted = {f'{key}="{value}"' for key, value in labels.items()}
    for line in content.splitlines():
        if line.startswith(name + "{") and wanted <= set(re.findall(r'\w+="[^"]*"', line)):
            return float(line.rsplit(" ", 1)[1])
    return 0.0


async def test_a_forwarded_request_is_one_span_and_the_service_continues_it(
    door: Door, service: RawService, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr("telemetry.requests._recording", [provider.get_tracer("test")])
    outside = "00-11111111111111111111111111111111-2222222222222222-01"
    reply = await door.ask(f"GET /v1/courses/{SECRET}?q={SECRET}", f"traceparent: {outside}")
    (span,) = exporter.get_finished_spans()
    assert span.context is not None
    assert span.name == "GET /v1/courses"
    assert span.parent is None
    assert SECRET not in span.to_json()
    trace_id = f"{span.context.trace_id:032x}"
    parent = service.asked[0].header(b"traceparent")
    assert parent is not None
    assert parent.startswith(f"00-{trace_id}-{span.context.span_id:016x}-".encode())
    assert reply.header("x-request-id") == trace_id
    provider.shutdown()


async def test_requests_are_counted_by_service_method_and_class(door: Door, service: RawService) -> None:
    labels = {"service": "learning", "method": "PUT"}
    before = {
        kind: metric("gateway_forwarded_total", status_class=kind, **labels) for kind in ("2xx", "4xx", "5xx", "cut")
    }
    seconds = metric("gateway_service_answer_seconds_count", service="learning")
    await door.ask(f"PUT /v1/courses/{SECRET}", body=b"x")
    await door.ask(f"PUT /v1/courses/{SECRET}", body=b"x", token=False)
    service.behave = answering(b"nonsense\r\n\r\n")
    await door.ask(f"PUT /v1/courses/{SECRET}", body=b"x")
    service.behave = answering(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel")
    await door.ask(f"PUT /v1/hasty/idle/{SECRET}", body=b"x")
    after = {kind: metric("gateway_forwarded_total", status_class=kind, **labels) for kind in before}
    assert {kind: after[kind] - before[kind] for kind in before} == {"2xx": 1, "4xx": 1, "5xx": 1, "cut": 1}
    assert metric("gateway_service_answer_seconds_count", service="learning") == seconds + 2
    assert metric("gateway_upstream_connections", service="learning", state="open") == 0
    assert SECRET not in telemetry.metrics_response()[0].decode()


async def test_a_failure_is_logged_by_service_and_reason(
    door: Door, service: RawService, caplog: pytest.LogCaptureFixture
) -> None:
    service.behave = answering(b"nonsense\r\n\r\n")
    with caplog.at_level(logging.WARNING, "gateway"):
        await door.ask(f"GET /v1/courses/{SECRET}")
    (record,) = [record for record in caplog.records if record.name.startswith("gateway")]
    assert (record.message, record.upstream_id, record.reason) == ("forwarding_failed", "learning", "broken")  # type: ignore[attr-defined]
    assert SECRET not in caplog.text
