"""Which request parameters are worth reading."""

import re
from collections.abc import Sequence

LONGEST_PARAMETER = 4_000
REPEATABLE = ("resource",)
MOST_REPEATED = 4
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def without_controls(value: str) -> str:
    """Give a value without control characters."""
    return _CONTROL.sub("", value)


def acceptable(parameters: Sequence[tuple[str, str]]) -> bool:
    """Say whether request parameters are worth reading: bounded, without control characters, each named once.

    `resource` may come a few times (RFC 8707, section 2).
    """
    names = [name for name, _ in parameters if name not in REPEATABLE]
    repeated = len(parameters) - len(names)
    return (
        len(set(names)) == len(names)
        and repeated <= MOST_REPEATED
        and not any(len(value) > LONGEST_PARAMETER or _CONTROL.search(name + value) for name, value in parameters)
    )
