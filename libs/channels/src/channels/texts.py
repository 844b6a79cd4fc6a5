"""The texts that go to phones, in both languages, and the words that fill each in the order a gateway counts them."""

import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from string import Formatter
from uuid import UUID

from channels.outcomes import Message


class Texts(Mapping[str, Mapping[str, str]]):
    """What a service sends: the `texts.toml` of one of its packages, by name and language."""

    def __init__(self, package: str) -> None:
        self._texts = tomllib.loads((resources.files(package) / "texts.toml").read_text("utf-8"))

    def __getitem__(self, text: str) -> Mapping[str, str]:
        """Give a text in each language. Raises `KeyError`."""
        found: Mapping[str, str] = self._texts[text]
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)

    def words_of(self, text: str, language: str) -> list[str]:
        """Name the words that fill a text, in the order in which they stand there. Raises `KeyError` for no such."""
        return [word for _, word, _, _ in Formatter().parse(self[text][language]) if word]

    def message(self, message_id: UUID, phone: str, text: str, language: str, values: Mapping[str, str]) -> Message:
        """Give a message to `phone` (normalised). Raises `KeyError` when the text or one of its words is missing."""
        return Message(message_id, phone, text, language, [values[word] for word in self.words_of(text, language)])
