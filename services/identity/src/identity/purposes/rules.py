"""What data is used for, on which basis, and in which words: data, and the decisions by it."""

import tomllib
from importlib import resources
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

Basis = Literal["statutory_duty", "contract", "consent"]
Text = Annotated[str, Field(min_length=1, max_length=1_000)]


class Stated(BaseModel):
    """What a file of ours states; it is read once, at the start."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Purpose(Stated):
    """What data is used for, on which basis; `version` counts its texts."""

    basis: Basis
    version: Annotated[int, Field(ge=1)]
    zh: Text
    en: Text


PURPOSES: Final = TypeAdapter(dict[str, Purpose]).validate_python(
    tomllib.loads((resources.files("identity.purposes") / "consents.toml").read_text("utf-8"))
)


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


def purpose_by_consent(name: str) -> Purpose:
    """Give a purpose that people may agree to; raises `PurposeUnknown` and `NotByConsent`."""
    purpose = PURPOSES.get(name)
    if purpose is None:
        raise PurposeUnknown
    if purpose.basis != "consent":
        raise NotByConsent(purpose.basis)
    return purpose
