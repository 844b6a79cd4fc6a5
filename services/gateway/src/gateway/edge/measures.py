"""What the gateway counts of what it spares clients and services, for Prometheus."""

from typing import Final

from prometheus_client import Counter

UNCHANGED: Final = Counter("gateway_unchanged", "Answers whose client had them already: 304 instead of a body.")
COMPRESSED: Final = Counter("gateway_compressed", "Answers that went out as gzip.")
