"""What a request of many rows is refused with: all of it, and each wrong row by number, rule and reason."""

from collections.abc import Sequence
from typing import NamedTuple

from rulebook import Refused


class RowError(NamedTuple):
    """What is wrong with one row, counted from 1: the rule it breaks and why, without repeating what it says."""

    row: int
    rule: str
    requirement: str
    zh: str
    en: str

    @classmethod
    def of(cls, row: int, refused: Refused) -> "RowError":
        """Report a refusal as that of a row."""
        return cls(row, refused.rule, refused.requirement, refused.zh, refused.en)


class RowsRefused(Exception):
    """Rows of a request are wrong, so that nothing of it was done."""

    def __init__(self, errors: Sequence[RowError]) -> None:
        super().__init__(f"{len(errors)} rows refused")
        self.errors = tuple(errors)

    @property
    def rows(self) -> list[dict[str, object]]:
        """The errors as they are told to the client."""
        return [error._asdict() for error in self.errors]
