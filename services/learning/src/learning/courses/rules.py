"""Which edition may be published next, and what a lesson must contain, as pure functions."""

from collections.abc import Sequence
from typing import Literal, NamedTuple
from uuid import UUID

LessonKind = Literal["text", "audio", "video", "quiz"]


class EditionOutOfOrder(Exception):
    """An edition was published that does not follow the newest one; `expected` is the next."""

    def __init__(self, expected: int) -> None:
        super().__init__(expected)
        self.expected = expected


class LessonTwice(Exception):
    """A lesson stands twice in one edition."""


class LessonEmpty(Exception):
    """A lesson lacks what its kind consists of: a text its body, audio and video their url, a quiz one of the two."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


class Draft(NamedTuple):
    """A lesson as it is to be published; `brought` says that the client chose its id."""

    lesson_id: UUID
    brought: bool
    title: str
    kind: LessonKind
    body: str | None
    url: str | None

    @property
    def content(self) -> dict[str, object]:
        """What an edition keeps of it, by column."""
        return {name: value for name, value in self._asdict().items() if name != "brought"}

    def same_as(self, other: "Draft") -> bool:
        """Say whether both are the same lesson, an id that was not brought left aside."""
        return self[2:] == other[2:] and (not self.brought or self.lesson_id == other.lesson_id)


def check_lessons(lessons: Sequence[Draft]) -> None:
    """Raise `LessonTwice` or `LessonEmpty` (counted from 1) unless the lessons make an edition."""
    if len({lesson.lesson_id for lesson in lessons}) < len(lessons):
        raise LessonTwice
    for position, lesson in enumerate(lessons, start=1):
        needed = {"text": lesson.body, "quiz": lesson.body or lesson.url}.get(lesson.kind, lesson.url)
        if not needed:
            raise LessonEmpty(position)


def check_follows(edition: int, newest: int) -> None:
    """Raise `EditionOutOfOrder` unless `edition` follows the `newest`, 0 where there is none."""
    if edition != newest + 1:
        raise EditionOutOfOrder(newest + 1)
