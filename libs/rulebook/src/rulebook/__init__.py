"""Dated rules: look one up as of a day, refuse by its name."""

from rulebook.refusal import Refused
from rulebook.rules import NoVersionHolds, Parameters, Rule, RuleVersion
from rulebook.rulesets import InvalidRules, read

__all__ = [
    "InvalidRules",
    "NoVersionHolds",
    "Parameters",
    "Refused",
    "Rule",
    "RuleVersion",
    "read",
]
