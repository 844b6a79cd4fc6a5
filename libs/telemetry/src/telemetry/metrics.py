"""Metrics of this process for Prometheus."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Gauge, disable_created_metrics, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

disable_created_metrics()  # type: ignore[no-untyped-call]


class Counts(Collector):
    """Counts by labels, in the event loop's thread alone: prometheus_client's lock, and cost several times as much."""

    def __init__(self, name: str, documentation: str, labels: Sequence[str] = ()) -> None:
        self._told = name, documentation, labels
        self._counts: Counter[Sequence[str]] = Counter() if labels else Counter({(): 0})
        REGISTRY.register(self)

    def inc(self, *labels: str) -> None:
        """Count one."""
        self._counts[labels] += 1

    def collect(self) -> Iterable[CounterMetricFamily]:
        """Give what was counted."""
        name, documentation, labels = self._told
        family = CounterMetricFamily(name, documentation, labels=labels)
        for values, count in self._counts.items():
            family.add_metric(values, count)
        return [family]


class Series:
    """The durations of one thing, in seconds: `counts` by bucket, the last for all above."""

    __slots__ = ("_bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(self._bounds, seconds)] += 1
        self.total += seconds


class Durations(Collector):
    """A histogram of seconds, for the event loop's thread alone as well."""

    def __init__(self, name: str, documentation: str, labels: Sequence[str], buckets: Sequence[float]) -> None:
        self._told = name, documentation, labels
        self._bounds = buckets
        self._series: dict[Sequence[str], Series] = {}
        REGISTRY.register(self)

    def of(self, *labels: str) -> Series:
        """Give the durations of what has these labels."""
        series = self._series.get(labels)
        if series is None:
            series = self._series[labels] = Series(self._bounds)
        return series

    def collect(self) -> Iterable[HistogramMetricFamily]:
        """Give what was counted."""
        name, documentation, labels = self._told
        family = HistogramMetricFamily(name, documentation, labels=labels)
        bounds = [*map(str, map(float, self._bounds)), "+Inf"]
        for values, series in self._series.items():
            counts = zip(bounds, map(float, accumulate(series.counts)), strict=True)
            family.add_metric(values, list(counts), series.total)
        return [family]


REQUEST_SECONDS: Final = Durations(
    "http_server_request_duration_seconds",
    "Seconds from the first byte of a request to the last byte of its answer, by route template.",
    ("method", "route", "status"),
    buckets=(0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)

BUILD: Final = Gauge("process_build_info", "1, by version and newest revision of the code.", ["version", "revision"])


def metrics_response() -> tuple[bytes, str]:
    """Give all metrics of this process in Prometheus' text format, and its content type."""
    return generate_latest(), CONTENT_TYPE_LATEST
