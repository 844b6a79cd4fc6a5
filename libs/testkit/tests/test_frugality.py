"""A run fails when its tests take more CPU of their process than they may on average, and not by the clock."""

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import subprocess, sys, time

def spend(seconds):
    began = time.process_time()
    while time.process_time() - began < seconds:
        pass

spend(0.5)  # importing is not counted

def test_thrifty(): spend(0.01)
def test_waiting(): time.sleep(0.5)
def test_of_another_process(): subprocess.run([sys.executable, "-c", "sum(range(20_000_000))"], check=True)
"""
WASTEFUL = """
def test_wasteful(): spend(1.0)
"""


def run(folder: Path, tests: str, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_spending.py").write_text(tests)
    (folder / "pytest.ini").write_text("[pytest]\n")
    left_out = ("-p", "no:faker", "-p", "no:schemathesis")  # as pyproject.toml does
    command = [sys.executable, "-m", "pytest", "-q", "-c", "pytest.ini", *left_out, *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - pytest


@pytest.mark.parametrize(("tests", "status"), [(TESTS, 0), (TESTS + WASTEFUL, 1)])
def test_an_average_above_the_bound_fails_the_run(tmp_path: Path, tests: str, status: int) -> None:
    ran = run(tmp_path, tests, "--most-cpu-seconds=0.2")
    assert ran.returncode == status, ran.stdout
    assert "s a test, of 0.2 s at most" in ran.stdout


def test_a_run_that_is_not_told_a_bound_may_take_what_it_likes(tmp_path: Path) -> None:
    ran = run(tmp_path, TESTS + WASTEFUL)
    assert (ran.returncode, "at most" in ran.stdout) == (0, False)


def test_a_property_that_is_slow_on_a_busy_machine_holds_all_the_same(tmp_path: Path) -> None:
    slow = "import time\nfrom hypothesis import given, strategies\n@given(strategies.booleans())\n"
    ran = run(tmp_path, f"{slow}def test_slow(drawn): time.sleep(0.3)\n")
    assert ran.returncode == 0, ran.stdout
