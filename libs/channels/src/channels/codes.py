"""What two services make by a key which both hold, so that it needs not travel: a message's code, a person's index."""

from typing import Final
from uuid import UUID

from database import KeyRing
from webapi.normal_forms import bare_number

CODE_DIGITS: Final = 6


def code_of(ring: KeyRing, message_id: UUID) -> str:
    """Give the code that a message brings; nobody finds it without the ring."""
    made = int.from_bytes(ring.keyed_hash("channels.code", str(message_id)))
    return f"{made % 10**CODE_DIGITS:0{CODE_DIGITS}}"


def index_of(ring: KeyRing, name: str, number: str) -> bytes:
    """Give the 16 bytes that stand for a name in its normal form with the number of a paper, in any writing."""
    return ring.blind_index("channels.person", f"{name}|{bare_number(number)}")
