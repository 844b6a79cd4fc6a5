"""How long a one-time code lives, how often it may be tried, and how often one may be asked for."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from identity.throttling.rules import Limit

CODE_LIFETIME: Final = timedelta(minutes=5)
MOST_TRIES: Final = 5
CODE_DIGITS: Final = 6

PER_PHONE: Final = (
    Limit(1, timedelta(minutes=1)),
    Limit(5, timedelta(hours=1)),
    Limit(10, timedelta(days=1)),
)
PER_PHONE_AND_ADDRESS: Final = (Limit(3, timedelta(hours=1)), Limit(5, timedelta(days=1)))
"""From one address, but for known browsers: half of what the number has, so that others elsewhere have some, too."""
PER_ACCOUNT: Final = (Limit(15, timedelta(days=1)),)
"""Over all numbers: whoever tries one new number after another for an account is stopped here."""
ADDRESS_WINDOW: Final = timedelta(hours=1)
TEXT_OF: Final[Mapping[str, str]] = {
    "recovery": "code_recovery",
    "recovery_objection": "code_objection",
    "phone": "code_phone",
    "phone_replacement": "code_phone_replacement",
}
"""The text of messages/texts.toml by purpose; whoever is talked out of a code reads in it what the code would do."""
MOST_PER_ADDRESS: Final = 60
"""Codes asked for in an hour from one address; a whole village may stand behind one."""
