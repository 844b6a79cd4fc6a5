"""The number that the page of a first sign-in shows, by which an officer confirms who is in front of them."""

from typing import Final
from uuid import UUID

from database import KeyRing

NUMBER_DIGITS: Final = 8


def number_of(ring: KeyRing, session_id: UUID) -> str:
    """Give the number of one browser's session; without the key nobody finds it."""
    made = int.from_bytes(ring.keyed_hash("proofs.number", str(session_id)))
    return f"{made % 10**NUMBER_DIGITS:0{NUMBER_DIGITS}}"
