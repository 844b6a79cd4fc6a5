"""Fails a run whose tests take too much CPU of their process on average: CPU, so that load decides nothing.

`--most-cpu-seconds=0.25` asks for it. What other processes do, a server or a service, is not counted.
"""

import time
from collections.abc import Iterator

import pytest


class Frugality:
    """Adds up the CPU seconds of each test with its set-up and tear-down, but not of importing and collecting."""

    def __init__(self, most_seconds: float) -> None:
        self._most_seconds = most_seconds
        self._spent: list[float] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Iterator[None]:
        """Measure one test."""
        began = time.process_time()
        try:
            return (yield)
        finally:
            self._spent.append(time.process_time() - began)

    @property
    def average_seconds(self) -> float:
        """What a test took on average."""
        return sum(self._spent) / max(1, len(self._spent))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Let a run fail that passed but for this."""
        if session.exitstatus == pytest.ExitCode.OK and self.average_seconds > self._most_seconds:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what a test took, whether it was too much or not."""
        too_much = self.average_seconds > self._most_seconds
        terminalreporter.write_line(
            f"CPU of this process: {self.average_seconds:.3f} s a test, of {self._most_seconds} s at most", red=too_much
        )
