"""What a service owes the people it knows: their data in a file, and to forget them for good."""

from privacy import migrations
from privacy.erasing import Forget, erased_among, handlers, replaying
from privacy.exporting import FETCHED_WITHIN, KEPT_FOR, SCHEMA_VERSION, Compose, Parts

__all__ = [
    "FETCHED_WITHIN",
    "KEPT_FOR",
    "SCHEMA_VERSION",
    "Compose",
    "Forget",
    "Parts",
    "erased_among",
    "handlers",
    "migrations",
    "replaying",
]
