"""What messaging counts and measures, for Prometheus: outbox, consumers, parked events."""

from prometheus_client import Counter, Gauge

from telemetry import Durations

OUTBOX_AGE = Gauge(
    "messaging_outbox_age_seconds", "Age of the oldest outbox row that is not published yet.", ["service", "shard"]
)
OUTBOX_DEPTH = Gauge(
    "messaging_outbox_depth", "Outbox rows not published yet, counted up to 100,000.", ["service", "shard"]
)
WRITE_TRANSACTION_AGE = Gauge(
    "messaging_oldest_write_transaction_seconds",
    "How long the oldest open write transaction of the cluster has held back the relay.",
    ["service"],
)
PUBLISHED = Counter("messaging_published", "Events the broker acknowledged.", ["service", "shard"])
PUBLISH_FAILURES = Counter(
    "messaging_publish_failures", "Batches that were not acknowledged and are sent again.", ["service", "shard"]
)
BROKER_LOSSES = Counter(
    "messaging_broker_losses", "Times the stream was found shorter than what it had acknowledged.", ["service", "shard"]
)
CONSUMER_LAG = Gauge(
    "messaging_consumer_lag",
    "Events in the stream that the consumer has not acknowledged yet; every worker tells it, so it counts once.",
    ["consumer", "stream"],
)
CONSUMER_CONNECTED = Gauge(
    "messaging_consumer_connected",
    "1 while this process pulls, 0 while the stream is missing or another process leads.",
    ["consumer", "stream"],
)
PROCESSED = Counter("messaging_processed", "Events whose effect was committed.", ["consumer", "stream"])
DUPLICATES = Counter(
    "messaging_duplicates", "Events delivered again, and dropped by the inbox.", ["consumer", "stream"]
)
PARKED_TOTAL = Counter("messaging_parked", "Events put aside.", ["consumer", "reason"])
PARKED = Gauge("messaging_parked_events", "Events put aside at present.", ["consumer", "state"])
DATABASE_BYTES = Gauge("messaging_database_bytes", "Size of the service's database.", ["service"])
STREAM_BYTES = Gauge("messaging_stream_bytes", "Size of the stream that the service publishes to.", ["stream"])
LOST_EVENTS = Gauge(
    "messaging_lost_events",
    "Events of the stream that the restored database forgot, not settled yet.",
    ["service"],
)
RECOVERY_OPEN = Gauge("messaging_recovery_open", "1 until all that a restored database forgot is settled.", ["service"])
FOREIGN = Counter("messaging_foreign_messages", "Messages that another than the stream's service put there; ignored.")
REWINDS = Counter("messaging_rewinds", "Times a consumer went back to its acknowledged floor.", ["consumer", "stream"])
EVENT_AGE = Durations(
    "messaging_event_age_seconds",
    "From the event's time to the commit of its effect.",
    ["consumer"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 3600.0),
)


def told(gauge: Gauge) -> dict[tuple[str, ...], float]:
    """Give what a gauge says now, by the values of its labels."""
    samples = (sample for family in gauge.collect() for sample in family.samples)
    return {tuple(sample.labels.values()): sample.value for sample in samples}
