"""Sets up one process's logs, traces and metrics, and takes them down."""

from collections.abc import Callable

from telemetry.logs import configure_logs
from telemetry.requests import record_requests
from telemetry.traces import pass_traces_on

_endings: list[Callable[[], None]] = []


def configure(
    service: str,
    *,
    log_level: str = "info",
    otlp_endpoint: str | None = None,
    trace_sample_ratio: float = 1.0,
) -> None:
    """Set up this process; call it once, before anything logs.

    Logs go as JSON lines to stderr. Without `otlp_endpoint` (base URL of an OTLP/HTTP collector) spans
    are not recorded, but trace ids still pass through. `trace_sample_ratio` (0 to 1) holds for traces begun here; a
    trace begun elsewhere keeps its beginner's decision.
    """
    configure_logs(service, log_level)
    if otlp_endpoint is None:
        pass_traces_on()
        return
    from telemetry.exporting import record_traces  # noqa: PLC0415 - costs a process without collector a third of a second

    provider = record_traces(service, otlp_endpoint, trace_sample_ratio)
    record_requests(provider)
    _endings.append(provider.shutdown)


def shutdown() -> None:
    """Send the spans that are still here and stop; call it last."""
    while _endings:
        _endings.pop()()
