"""Shows what a person reads who starts the system where nothing can be written: one line, whoever they are."""

import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from standalone import processes

PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1
_libc = ctypes.CDLL(None)


def submit_to_permissions() -> None:
    """Give up root's right to write everywhere, for good, in a child about to become another program."""
    if os.geteuid() == 0:
        _libc.prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)


def run_in(data: Path) -> tuple[int, list[str]]:
    """Start the system as a person does; give the status and the lines that were printed."""
    command = [Path(sys.executable).with_name("xiangqiao"), "run", "--data", data, "--port", processes.free_port()]
    done = subprocess.run(  # noqa: S603 - our own command
        [str(part) for part in command],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=submit_to_permissions,
    )
    return done.returncode, (done.stdout + done.stderr).splitlines()


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Path]:
    """Give a directory in which its owner must not write."""
    directory = tmp_path / "locked"
    directory.mkdir(mode=0o500)
    yield directory
    directory.chmod(0o700)


def test_a_directory_without_permission_is_one_clear_line(locked: Path) -> None:
    data = locked / "data"
    said = f"no permission to write {data} as user id {os.geteuid()}; choose another --data directory"
    assert run_in(data) == (1, [f"xiangqiao: {said}"])


def test_a_place_below_a_file_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    data = tmp_path / "file" / "data"
    assert run_in(data) == (1, [f"xiangqiao: cannot use {data}: Not a directory; choose another --data directory"])
