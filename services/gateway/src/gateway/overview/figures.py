"""The figures that the overview knows, each with its dated formula and with what protects the people behind it."""

from collections.abc import Mapping
from datetime import date
from importlib import resources
from typing import Literal

from rulebook import Parameters, Rule, RuleVersion, read

Counts = Literal["people", "things_of_people", "things"]


class Formula(Parameters):
    """What a figure counts, in words and for the disclosure control; `figures.toml` says what each field means."""

    zh: str
    en: str
    counts: Counts
    part_of: str | None = None
    breakdown: str | None = None
    subset_of: str | None = None


Figures = Mapping[str, Rule[Formula]]
"""Each figure by its measure."""


def load_figures() -> Figures:
    """Read every figure by its measure."""
    book = read(resources.files("gateway") / "overview" / "figures.toml")
    return {name: book.rule(name, Formula) for name in sorted(book.names)}


def figures_on(figures: Figures, day: date) -> dict[str, RuleVersion[Formula]]:
    """Give the figures that hold on a day; one that begins later, or has ended, is none of them."""
    near = {measure: version_near(rule, day) for measure, rule in figures.items()}
    return {
        measure: version for measure, version in near.items() if version.holds_from <= day and not _over(version, day)
    }


def version_near(rule: Rule[Formula], day: date) -> RuleVersion[Formula]:
    """Give the version that holds on a day, else the next to begin, else the last there was."""
    return next((version for version in rule.versions if not _over(version, day)), rule.versions[-1])


def _over(version: RuleVersion[Formula], day: date) -> bool:
    return version.holds_until is not None and version.holds_until < day
