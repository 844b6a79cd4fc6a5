"""Shows how far a long task is: bars in a terminal, plain lines elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

SECONDS_BETWEEN_LINES = 5.0


class Watcher(Protocol):
    """Is told how far the task is."""

    def begin(self, step: str, total: int) -> None:
        """Take note that a step begins, of `total` parts."""

    def advance(self, parts: int = 1) -> None:
        """Take note that so many further parts of the step are done."""


class Bars:
    """A bar for each step."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID | None = None

    def begin(self, step: str, total: int) -> None:
        """Show a further bar."""
        self._task = self._progress.add_task(step, total=total)

    def advance(self, parts: int = 1) -> None:
        """Move the last bar."""
        if self._task is not None:
            self._progress.advance(self._task, parts)


class Lines:
    """A line when a step begins, now and then while it lasts, and when it is done."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._step, self._total, self._done = "", 0, 0
        self._said_at = 0.0

    def begin(self, step: str, total: int) -> None:
        """Say that a step begins."""
        self._step, self._total, self._done = step, total, 0
        self._say(f"{step}: {total}")

    def advance(self, parts: int = 1) -> None:
        """Say how far it is, at most every few seconds, and that it is done."""
        self._done += parts
        if self._done >= self._total:
            self._say(f"{self._step}: done")
        elif time.monotonic() - self._said_at > SECONDS_BETWEEN_LINES:
            self._say(f"{self._step}: {self._done} of {self._total}")

    def _say(self, line: str) -> None:
        self._said_at = time.monotonic()
        self._console.print(line, markup=False, highlight=False)


@contextmanager
def shown(console: Console) -> Iterator[Watcher]:
    """Show a task's progress on the console, in the form that suits it, for the length of the block."""
    if not console.is_terminal:
        yield Lines(console)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        yield Bars(progress)
