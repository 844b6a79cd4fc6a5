"""What the gateway counts of its forwarding, for Prometheus: by service, method and class of status, never by path."""

from typing import Final

from prometheus_client import Counter, Gauge

from telemetry import Counts, Durations

CLIENT_GONE: Final = "gone"
CUT: Final = "cut"

FORWARDED: Final = Counts(
    "gateway_forwarded",
    "Requests meant for a service, by class of the status the client got; gone: the client left; cut: broke off.",
    ("service", "method", "status_class"),
)
ANSWER_SECONDS: Final = Durations(
    "gateway_service_answer_seconds",
    "Seconds from the gateway's asking a service, waiting for a connection included, to the head of its answer.",
    ("service",),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
SHARED: Final = Counter(
    "gateway_shared_exchanges", "Requests that got the answer to an equal one, which was under way.", ("service",)
)
FAILURES: Final = Counter("gateway_forwarding_failures", "Exchanges that failed, by reason.", ("service", "reason"))
CONNECTIONS: Final = Gauge(
    "gateway_upstream_connections",
    "Connections to a service: open (idle ones included) and idle; waiting counts requests without one.",
    ("service", "state"),
)
ADDRESSES: Final = Gauge(
    "gateway_upstream_addresses", "Addresses of a service, by state of breaker.", ("service", "state")
)
BREAKERS: Final = Counter(
    "gateway_breaker_changes", "Times at which the breaker of an address came into a state.", ("service", "state")
)
TRIED_AGAIN: Final = Counter(
    "gateway_tried_again",
    "Exchanges that failed and were tried again: unsent or sent; over_budget were not, for too much was.",
    ("service", "why"),
)

_METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


def count(service: str, method: str, status_class: str) -> None:
    """Count one request; `status_class` is "2xx" … "5xx", CLIENT_GONE or CUT."""
    FORWARDED.inc(service, method if method in _METHODS else "_OTHER", status_class)


def answered(service: str, seconds: float) -> None:
    """Record how long a service took to begin its answer."""
    ANSWER_SECONDS.of(service).observe(seconds)
