"""Logs, traces and metrics of one process, private by construction."""

from telemetry.metrics import BUILD, Counts, Durations, metrics_response
from telemetry.requests import ServedRequest
from telemetry.setup import configure, shutdown
from telemetry.traces import trace_id

__all__ = ["BUILD", "Counts", "Durations", "ServedRequest", "configure", "metrics_response", "shutdown", "trace_id"]
