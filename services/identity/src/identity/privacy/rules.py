"""What consents there are and what holds an erasure back: data, and the decisions by it."""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from importlib import resources
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

Basis = Literal["statutory_duty", "contract", "consent"]

EXPORT_LIFETIME: Final = timedelta(hours=24)
MOST_EXPORTS: Final = 5
"""In `EXPORT_LIFETIME`, of one person."""

Text = Annotated[str, Field(min_length=1, max_length=1_000)]


class _Stated(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Purpose(_Stated):
    """What data is used for, on which basis; `version` counts its texts."""

    basis: Basis
    version: Annotated[int, Field(ge=1)]
    zh: Text
    en: Text


class Duty(_Stated):
    """Why data stays, and which."""

    kept: tuple[str, ...]
    zh: Text
    en: Text


class HoldBasis(_Stated):
    """Why a hold may be placed, in words for the person."""

    zh: Text
    en: Text


class Grounds(_Stated):
    """All there is that holds an erasure back."""

    duties: Mapping[str, Duty]
    holds: Mapping[str, HoldBasis]


def _read(name: str) -> dict[str, object]:
    return tomllib.loads((resources.files("identity.privacy") / name).read_text("utf-8"))


PURPOSES: Final = TypeAdapter(dict[str, Purpose]).validate_python(_read("consents.toml"))
GROUNDS: Final = Grounds.model_validate(_read("grounds.toml"))


class PurposeUnknown(Exception):
    """There is no such purpose."""


class NotByConsent(Exception):
    """The purpose rests on a duty or a contract: nobody is asked, so nothing is given or withdrawn."""

    def __init__(self, basis: Basis) -> None:
        super().__init__(basis)
        self.basis = basis


class TextChanged(Exception):
    """The person was shown another version of the text; the present one is in `text_version`, `text_zh`, `text_en`."""

    def __init__(self, purpose: Purpose) -> None:
        super().__init__(purpose.version)
        self.text_version = purpose.version
        self.text_zh = purpose.zh
        self.text_en = purpose.en


class HoldBasisUnknown(Exception):
    """There is no such basis for a hold."""


class LegallyHeld(Exception):
    """The person's data must stay: `bases` say why, and `zh` and `en` explain it."""

    def __init__(self, bases: Sequence[str]) -> None:
        super().__init__(len(bases))
        self.bases = list(bases)
        self.zh = "".join(GROUNDS.holds[basis].zh for basis in bases)
        self.en = " ".join(GROUNDS.holds[basis].en for basis in bases)


def purpose_by_consent(name: str) -> Purpose:
    """Give a purpose that people may agree to; raises `PurposeUnknown` and `NotByConsent`."""
    purpose = PURPOSES.get(name)
    if purpose is None:
        raise PurposeUnknown
    if purpose.basis != "consent":
        raise NotByConsent(purpose.basis)
    return purpose


def duties_of(*, is_member: bool, in_office: bool) -> list[str]:
    """Name the duties by which a person's data stays; none means that all of it goes."""
    return [duty for duty, applies in (("membership", is_member), ("office", in_office)) if applies]
