"""Logs, traces and metrics of one process, private by construction."""

from telemetry.metrics import metrics_response
from telemetry.requests import ServedRequest
from telemetry.setup import configure, shutdown
from telemetry.traces import context_of, trace_id, traceparent

__all__ = ["ServedRequest", "configure", "context_of", "metrics_response", "shutdown", "trace_id", "traceparent"]
