"""The code in a notice by which the owner objects at once: made from the id it is about, so that nothing keeps it."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from database import KeyRing
from identity.throttling.rules import Limit

DIGITS: Final = 10
"""Too long to guess from however many addresses, so that no phone has to be closed to tries, nor to its owner."""
TRIES_PER_ADDRESS: Final = Limit(30, timedelta(hours=1))


def notice_code(ring: KeyRing, object_id: UUID) -> str:
    """Give the code that the notices about a recovery or a replacement carry; without the key nobody finds it."""
    made = int.from_bytes(ring.blind_index("objection.notice_code", str(object_id)))
    return f"{made % 10**DIGITS:0{DIGITS}}"
