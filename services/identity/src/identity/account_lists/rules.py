"""How many accounts a list may open, how long it waits for a second person, and how long its results are kept."""

from datetime import timedelta
from typing import Final

MOST_ROWS: Final = 1000
MOST_WAITING: Final = 20
"""Lists of one giver that wait at a time."""
WAITS: Final = timedelta(days=14)
KEPT_FOR: Final = timedelta(days=90)
"""How long a list and its results can be read once it waits for nobody any more."""


class AccountListUnknown(Exception):
    """There is no such list, or none that the caller may see."""


class AccountListDecided(Exception):
    """The list waits for nobody any more: it was decided about, withdrawn, or has expired."""


class TooManyLists(Exception):
    """The giver has as many lists waiting as anybody may have."""
