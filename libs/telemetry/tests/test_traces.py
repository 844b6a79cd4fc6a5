"""A trace goes through a process whether or not anybody records it, and what is recorded holds codes alone."""

import os
import subprocess
import sys
from timeit import timeit

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import telemetry
from telemetry.exporting import PrivateExporter
from telemetry.traces import _PassingTracer, parse_traceparent
from testkit.spans import SpanReceiver

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
HEADER = f"00-{TRACE}-{SPAN}-01"


def traceparent() -> str | None:
    """Give the header of the present span, None outside of any."""
    context = trace.get_current_span().get_span_context()
    header = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
    return header if context.is_valid else None


def test_a_request_continues_the_trace_it_brings() -> None:
    request = telemetry.ServedRequest("GET", [(b"host", b"x"), (b"traceparent", HEADER.encode())])
    assert (telemetry.trace_id(), request.trace_id, traceparent()) == (TRACE, TRACE, HEADER)
    request.finish("/v1/trees", 200)
    assert traceparent() is None


def test_a_request_without_a_trace_begins_one() -> None:
    first, second = telemetry.ServedRequest("GET", []), telemetry.ServedRequest("GET", [])
    assert first.trace_id != second.trace_id
    header = traceparent()
    assert header is not None
    assert parse_traceparent(header) is not None
    second.finish(None, 404)
    first.finish(None, 404)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "x",
        HEADER.upper(),
        f"00-{TRACE}-{SPAN}",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"{HEADER}-more",
        f" {HEADER}",
        "00-张三-00f067aa0ba902b7-01",
    ],
)
def test_what_is_no_traceparent_is_passed_over(header: str) -> None:
    assert parse_traceparent(header) is None


def test_a_future_version_of_the_header_is_read() -> None:
    assert parse_traceparent(f"01-{TRACE}-{SPAN}-01-more", "vendor=1") is not None


def test_spans_within_a_process_that_records_none_still_have_ids() -> None:
    tracer = _PassingTracer()
    with tracer.start_as_current_span("job") as outer:
        assert outer.get_span_context().is_valid
        with tracer.start_as_current_span("step") as inner:
            assert inner.get_span_context().trace_id == outer.get_span_context().trace_id


def test_what_leaves_the_process_in_a_span_holds_codes_and_numbers_alone() -> None:
    memory = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(PrivateExporter(memory)))
    tracer = provider.get_tracer("test")
    with pytest.raises(ValueError, match="张三"), tracer.start_as_current_span("process tree") as span:
        span.set_attributes(
            {
                "http.route": "/v1/trees/{tree_id}",
                "messaging.batch.message_count": 3,
                "messaging.system": "nats",
                "url.full": "http://x/?phone=13812345678",
                "db.query.text": "select 13812345678",
                "xiangqiao.title": "张三的树",
            }
        )
        raise ValueError("张三 13812345678")
    provider.shutdown()
    [finished] = memory.get_finished_spans()
    assert finished.attributes == {
        "http.route": "/v1/trees/{tree_id}",
        "messaging.batch.message_count": 3,
        "messaging.system": "nats",
    }
    assert [(event.name, dict(event.attributes or {})) for event in finished.events] == [
        ("exception", {"exception.type": "ValueError"})
    ]
    assert finished.status.description is None
    assert finished.status.status_code is trace.StatusCode.ERROR


PROGRAM = """
import sys, telemetry
telemetry.configure("orchard", otlp_endpoint=sys.argv[1])
request = telemetry.ServedRequest("POST", [(b"traceparent", sys.argv[2].encode())])
request.finish("/v1/trees", 503, TimeoutError("13812345678"))
telemetry.shutdown()
"""


def test_with_a_collector_a_request_is_exported_as_a_server_span(spans: SpanReceiver) -> None:
    command = [sys.executable, "-c", PROGRAM, spans.url, HEADER]
    subprocess.run(command, check=True, env=dict(os.environ))  # noqa: S603 - the program above
    [span] = spans.of_trace(TRACE)
    assert (span.service, span.name, span.parent_id) == ("orchard", "POST /v1/trees", SPAN)
    assert span.attributes["http.response.status_code"] == 503
    assert span.attributes["error.type"] == "TimeoutError"
    assert "13812345678" not in str(span)


def test_a_request_without_a_collector_costs_less_than_40_microseconds() -> None:
    headers = [(b"host", b"x"), (b"authorization", b"Bearer x"), (b"traceparent", HEADER.encode())]
    times = 2000
    best = min(
        timeit(lambda: telemetry.ServedRequest("GET", headers).finish("/v1/trees", 200), number=times) for _ in range(5)
    )
    assert best / times < 40e-6
