"""A message, and what a channel says of it."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol
from uuid import UUID


class Message(NamedTuple):
    """One message: the name of its text, and what fills that text in its order."""

    message_id: UUID
    phone: str
    text: str
    language: str
    parameters: Sequence[str]


class Taken(NamedTuple):
    """The channel took the message."""


class NotTaken(NamedTuple):
    """It did not, for a `reason` (its code, or the kind of failure); another try may do."""

    reason: str


class Refused(NamedTuple):
    """It never will, for a `reason`, its code."""

    reason: str


Outcome = Taken | NotTaken | Refused


class Channel(Protocol):
    """A way to people's phones."""

    async def deliver(self, message: Message) -> Outcome:
        """Hand a message over, within ten seconds; a repetition is known by the message's id."""

    async def close(self) -> None:
        """Close the connections."""
