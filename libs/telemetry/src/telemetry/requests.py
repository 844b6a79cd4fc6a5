"""One HTTP request being served: its span and its place in the duration histogram, for a few microseconds."""

from collections.abc import Iterable
from time import perf_counter
from typing import Any, Final

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, StatusCode

from telemetry.metrics import REQUEST_SECONDS, Series
from telemetry.traces import attach, new_context, parse_traceparent

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SERVER_ERROR: Final = 500
_series: dict[tuple[str, str, int], Series] = {}
_recording: list[trace.Tracer] = []


def record_requests(provider: trace.TracerProvider) -> None:
    """Record requests' spans with `provider` from now on."""
    _recording[:] = [provider.get_tracer("xiangqiao")]


def _parent(headers: Iterable[tuple[bytes, bytes]]) -> SpanContext | None:
    parent = state = None
    for name, value in headers:
        if name == b"traceparent":
            parent = value.decode("latin-1")
        elif name == b"tracestate":
            state = value.decode("latin-1")
    return None if parent is None else parse_traceparent(parent, state)


class ServedRequest:
    """Traced and timed from its construction to `finish`; meanwhile its span is the present one.

    `headers` are as ASGI gives them (lower-case names). Routes are told by their template: a raw path may hold ids.
    """

    __slots__ = ("_started", "_token", "method", "span")

    def __init__(self, method: str, headers: Iterable[tuple[bytes, bytes]]) -> None:
        self.method = method if method in _METHODS else "_OTHER"
        self._started = perf_counter()
        parent = _parent(headers)
        self.span: Span
        if _recording:
            context = trace.set_span_in_context(NonRecordingSpan(parent)) if parent else otel_context.Context()
            attributes = {"http.request.method": self.method}
            self.span = _recording[0].start_span(self.method, context, SpanKind.SERVER, attributes)
        else:
            self.span = NonRecordingSpan(parent or new_context())
        self._token: Any = attach(self.span)

    @property
    def trace_id(self) -> str:
        """The trace id as 32 hexadecimal digits."""
        return f"{self.span.get_span_context().trace_id:032x}"

    def finish(self, route: str | None, status: int, error: BaseException | None = None) -> None:
        """End the span and count the request. `route` is the template (None: no route), `error` what became a 5xx."""
        route = route or "unmatched"
        otel_context.detach(self._token)
        if self.span.is_recording():
            self.span.update_name(f"{self.method} {route}")
            self.span.set_attributes({"http.route": route, "http.response.status_code": status})
            if status >= _SERVER_ERROR:
                self.span.set_attribute("error.type", str(status) if error is None else type(error).__qualname__)
                self.span.set_status(StatusCode.ERROR)
            self.span.end()
        key = (self.method, route, status)
        series = _series.get(key)
        if series is None:
            series = _series[key] = REQUEST_SECONDS.of(self.method, route, str(status))
        series.observe(perf_counter() - self._started)
