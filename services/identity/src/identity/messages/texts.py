"""The texts that go to phones, in both languages, and the words that fill each in the order a gateway counts them."""

import tomllib
from collections.abc import Mapping
from importlib import resources
from string import Formatter

TEXTS: Mapping[str, Mapping[str, str]] = tomllib.loads(
    (resources.files("identity.messages") / "texts.toml").read_text("utf-8")
)


def words_of(text: str, language: str) -> list[str]:
    """Name the words that fill a text, in the order in which they stand there. Raises `KeyError` for no such text."""
    return [word for _, word, _, _ in Formatter().parse(TEXTS[text][language]) if word]


def filled(text: str, language: str, values: Mapping[str, str]) -> list[str]:
    """Give a text's parameters in its order. Raises `KeyError` when the text or one of its words is missing."""
    return [values[word] for word in words_of(text, language)]
