"""A rule and its dated versions."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from rulebook.refusal import Detail, Refused


class Parameters(BaseModel):
    """What one version of a rule sets; a rule's own model derives from it. Unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


P_co = TypeVar("P_co", bound=Parameters, covariant=True)


class NoVersionHolds(Exception):
    """No version of the rule holds on the day that was asked for."""

    def __init__(self, rule: str, day: date) -> None:
        super().__init__(f"{rule}: no version holds on {day}")


@dataclass(frozen=True)
class RuleVersion(Generic[P_co]):
    """One version of a rule: its parameters on the days from `holds_from` through `holds_until`, both included.

    `holds_until` is nothing for a version that holds until further notice.
    """

    rule: str
    holds_from: date
    holds_until: date | None
    source: str
    parameters: P_co

    def refused(self, requirement: str, *, zh: str, en: str, **details: Detail) -> Refused:
        """Make the exception that says this version does not allow it, for the caller to raise."""
        return Refused(
            self.rule,
            requirement,
            zh=zh,
            en=en,
            holds_from=self.holds_from,
            source=self.source,
            details=details,
        )


class Rule(Generic[P_co]):
    """A named rule: its versions in order of their dates, without overlap or gap."""

    def __init__(self, name: str, versions: Sequence[RuleVersion[P_co]]) -> None:
        self.name = name
        self.versions = tuple(versions)
        self._starts = [version.holds_from for version in self.versions]

    def as_of(self, day: date) -> RuleVersion[P_co]:
        """Give the version that holds on `day`.

        Raises `NoVersionHolds`, and `TypeError` for a point in time: which day it falls on is for the caller to say.
        """
        if isinstance(day, datetime):
            raise TypeError(f"{self.name}: a rule is looked up as of a date, not of a time")
        position = bisect_right(self._starts, day) - 1
        if position < 0:
            raise NoVersionHolds(self.name, day)
        version = self.versions[position]
        if version.holds_until is not None and day > version.holds_until:
            raise NoVersionHolds(self.name, day)
        return version
