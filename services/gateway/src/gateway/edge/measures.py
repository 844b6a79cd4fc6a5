"""What the gateway counts of what it spares clients and services, for Prometheus."""

from typing import Final

from telemetry import Counts

UNCHANGED: Final = Counts("gateway_unchanged", "Answers whose client had them already: 304 instead of a body.")
COMPRESSED: Final = Counts("gateway_compressed", "Answers that went out as gzip.")
