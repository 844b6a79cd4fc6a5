"""One trace from the command through outbox and broker into the handler, and further with what that appends."""

from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from messaging import Publication, append, tracing


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Any:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("test"))
    exporter.tracer = provider.get_tracer("command")  # type: ignore[attr-defined]
    return exporter


def consumers(recorded: Any) -> list[ReadableSpan]:
    return [span for span in recorded.get_finished_spans() if span.kind is SpanKind.CONSUMER]


async def test_the_handler_continues_the_commands_trace_and_passes_it_on(stage: Any, recorded: Any) -> None:
    handle = stage.handle

    async def react(session: Any, received: Any) -> None:
        await handle(session, received)
        if received[0].version == 1:
            await append(session, [Publication(stage.renamed(received[0].event.organisation_id), 2)])

    stage.handle = react
    async with stage.running(stage.worker(stage.consumer())):
        with recorded.tracer.start_as_current_span("command") as command:
            await stage.append((stage.established(), 1))
        await stage.until_ledger(2)
    first, second = sorted(consumers(recorded), key=lambda span: span.start_time or 0)
    assert first.parent is not None
    assert second.parent is not None
    assert first.context is not None
    assert first.parent.span_id == command.get_span_context().span_id
    assert second.parent.span_id == first.context.span_id
    assert first.parent.trace_id == second.parent.trace_id == command.get_span_context().trace_id


async def test_each_trace_in_a_batch_has_its_span(stage: Any, recorded: Any) -> None:
    for _ in range(3):
        with recorded.tracer.start_as_current_span("command"):
            await stage.append((stage.established(), 1), (stage.established(), 1))
    async with stage.running(stage.worker(stage.consumer())):
        await stage.until_ledger(6)
    traces = {span.context.trace_id for span in consumers(recorded) if span.context is not None}
    assert len(traces) == 3


async def test_an_event_without_a_trace_makes_no_span(stage: Any, recorded: Any) -> None:
    await stage.append((stage.established(), 1))
    async with stage.running(stage.worker(stage.consumer())):
        await stage.until_ledger(1)
    assert consumers(recorded) == []
