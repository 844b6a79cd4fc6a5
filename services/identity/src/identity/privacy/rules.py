"""What holds an erasure back: data, and the decisions by it."""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from importlib import resources
from typing import Final

from identity.purposes.rules import Stated, Text

EXPORT_LIFETIME: Final = timedelta(hours=24)


class Duty(Stated):
    """Why data stays, and which."""

    kept: tuple[str, ...]
    zh: Text
    en: Text


class HoldBasis(Stated):
    """Why a hold may be placed, in words for the person."""

    zh: Text
    en: Text


class Grounds(Stated):
    """All there is that holds an erasure back."""

    duties: Mapping[str, Duty]
    holds: Mapping[str, HoldBasis]


GROUNDS: Final = Grounds.model_validate(
    tomllib.loads((resources.files("identity.privacy") / "grounds.toml").read_text("utf-8"))
)


class HoldBasisUnknown(Exception):
    """There is no such basis for a hold."""


class LegallyHeld(Exception):
    """The person's data must stay: `bases` say why, and `zh` and `en` explain it."""

    def __init__(self, bases: Sequence[str]) -> None:
        super().__init__(len(bases))
        self.bases = list(bases)
        self.zh = "".join(GROUNDS.holds[basis].zh for basis in bases)
        self.en = " ".join(GROUNDS.holds[basis].en for basis in bases)


def duties_of(*, is_member: bool, in_office: bool) -> list[str]:
    """Name the duties by which a person's data stays; none means that all of it goes."""
    return [duty for duty, applies in (("membership", is_member), ("office", in_office)) if applies]
