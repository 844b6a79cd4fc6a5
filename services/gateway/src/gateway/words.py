"""What the gateway says itself: the same in both languages, side by side."""

from typing import Annotated, NamedTuple

from pydantic import BaseModel, Field


class Words(NamedTuple):
    """The same in both languages."""

    zh: str
    en: str

    def out(self) -> "WordsOut":
        """Give them as they are answered."""
        return WordsOut(zh=self.zh, en=self.en)


class WordsOut(BaseModel):
    """The same in both languages."""

    zh: Annotated[str, Field(max_length=500)]
    en: Annotated[str, Field(max_length=500)]
