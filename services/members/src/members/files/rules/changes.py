"""Changes of a file: which people make to their own, and how they are merged with what others changed since."""

from collections.abc import Mapping
from typing import Any, NamedTuple

OWN_CHANGES = frozenset({"phone", "away", "smartphone"})


class NotForOneself(Exception):
    """Somebody would change of the own file what only those in charge of it may change."""


def check_own_changes(changes: Mapping[str, Any]) -> None:
    """Raise `NotForOneself` unless these are fields that people change in their own file."""
    if not OWN_CHANGES.issuperset(changes):
        raise NotForOneself


class Merged(NamedTuple):
    """A file's contents with the changes merged in, and the fields in which others changed something else since."""

    result: dict[str, Any]
    clashing: list[str]


def merge(present: Mapping[str, Any], *, base: Mapping[str, Any], changes: Mapping[str, Any]) -> Merged:
    """Merge `changes`, which were made to `base`, into the `present` contents, field by field."""
    clashing = [field for field, wanted in changes.items() if present[field] not in (base[field], wanted)]
    return Merged({**present, **changes}, clashing)
