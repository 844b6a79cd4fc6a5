"""The fields of a file that are sealed, and how much of one is shown before it is opened."""

from typing import Literal, NamedTuple

SealedField = Literal["name", "id_number", "phone"]
"""The fields of a file that are sealed, and masked until they are opened for a purpose."""


class PersonalFields(NamedTuple):
    """The sealed fields of a file in clear; never logged, never in an event."""

    name: str
    id_number: str
    phone: str | None

    def __repr__(self) -> str:
        """Show nothing, so that no traceback does."""
        return "PersonalFields(…)"


def masked(field: str, plain: str) -> str:
    """Show only as much of a field as tells its owner that it is theirs."""
    shown_before, shown_after = {"name": (1, 0), "id_number": (1, 1), "phone": (3, 2)}[field]
    if len(plain) <= shown_before + shown_after:
        return "*" * len(plain)
    hidden = len(plain) - shown_before - shown_after
    return plain[:shown_before] + "*" * hidden + plain[len(plain) - shown_after :]
