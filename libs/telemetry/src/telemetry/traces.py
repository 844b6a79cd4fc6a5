"""Traces: W3C trace context in and out, spans recorded only when there is somewhere to send them."""

import re
from random import getrandbits
from typing import Any, Final

from opentelemetry import context as otel_context
from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, TraceFlags, TraceState
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_TRACEPARENT: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


def new_context() -> SpanContext:
    """Make the context of a new, unrecorded trace."""
    return SpanContext(getrandbits(128) or 1, getrandbits(64) or 1, is_remote=False)


def parse_traceparent(header: str, tracestate: str | None = None) -> SpanContext | None:
    """Read a `traceparent` header (W3C Trace Context, level 1); None when it is not one."""
    found = _TRACEPARENT.fullmatch(header)
    if found is None:
        return None
    version, trace_hex, span_hex, flags, rest = found.groups()
    if version == "ff" or (version == "00" and rest):
        return None
    state = TraceState.from_header([tracestate]) if tracestate else None
    context = SpanContext(int(trace_hex, 16), int(span_hex, 16), True, TraceFlags(int(flags, 16)), state)
    return context if context.is_valid else None


def trace_id() -> str | None:
    """Give the present trace id as 32 hexadecimal digits, or None outside of any trace."""
    context = trace.get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else None


class _PassingTracer(trace.NoOpTracer):
    """Records nothing; continues a trace, or begins one, so that its id is in logs, answers and events."""

    def start_span(self, name: str, context: Context | None = None, *args: Any, **kwargs: Any) -> Span:  # noqa: ARG002
        """Give a span that carries ids alone."""
        span = trace.get_current_span(context)
        if span.get_span_context().is_valid:
            return NonRecordingSpan(span.get_span_context())
        return NonRecordingSpan(new_context())


class _PassingProvider(trace.TracerProvider):
    """The provider of a process that sends its spans nowhere."""

    def get_tracer(self, *args: Any, **kwargs: Any) -> trace.Tracer:  # noqa: ARG002 - all tracers are alike
        """Give the one tracer there is."""
        return _TRACER


_TRACER: Final = _PassingTracer()


def pass_traces_on() -> None:
    """Make this process record no spans, but continue and begin traces."""
    propagate.set_global_textmap(TraceContextTextMapPropagator())  # no baggage: others' free text stays outside
    trace.set_tracer_provider(_PassingProvider())


def attach(span: Span) -> Any:
    """Make `span` the present one; give the token to detach it with."""
    return otel_context.attach(trace.set_span_in_context(span))
