"""What a service owes the people it knows: their data in a file, and to forget them for good."""

from privacy import branch, migrations, reach
from privacy.erasing import erased_among, handlers, replaying
from privacy.exporting import Parts
from privacy.own_data import AllOwnData, Asked, OwnData, Told, compose_all

__all__ = [
    "AllOwnData",
    "Asked",
    "OwnData",
    "Parts",
    "Told",
    "branch",
    "compose_all",
    "erased_among",
    "handlers",
    "migrations",
    "reach",
    "replaying",
]
