"""The code that two services make of a message's id by a key which both hold, so that none travels between them."""

from typing import Final
from uuid import UUID

from database import KeyRing

CODE_DIGITS: Final = 6


def code_of(ring: KeyRing, message_id: UUID) -> str:
    """Give the code that a message brings; nobody finds it without the ring."""
    made = int.from_bytes(ring.keyed_hash("channels.code", str(message_id)))
    return f"{made % 10**CODE_DIGITS:0{CODE_DIGITS}}"
