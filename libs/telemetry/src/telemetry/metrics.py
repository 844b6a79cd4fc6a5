"""Metrics of this process for Prometheus."""

from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, Histogram, disable_created_metrics, generate_latest

disable_created_metrics()  # type: ignore[no-untyped-call]

REQUEST_SECONDS: Final = Histogram(
    "http_server_request_duration_seconds",
    "Seconds from the first byte of a request to the last byte of its answer, by route template.",
    ("method", "route", "status"),
    buckets=(0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)


def metrics_response() -> tuple[bytes, str]:
    """Give all metrics of this process in Prometheus' text format, and its content type."""
    return generate_latest(), CONTENT_TYPE_LATEST
