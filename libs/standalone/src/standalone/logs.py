"""Keeps the logs of the child processes bounded."""

import os
import shutil
from pathlib import Path

LARGEST_BYTES = 10_000_000


def keep_bounded(directory: Path, *, largest_bytes: int = LARGEST_BYTES) -> None:
    """Move the content of each log that has grown too large to `<name>.log.1`, replacing what was there.

    The writers hold their file open in append mode and go on at its new end; a line written in between may be lost.
    """
    for log in directory.glob("*.log"):
        if log.stat().st_size > largest_bytes:
            shutil.copyfile(log, log.with_suffix(".log.1"))
            os.truncate(log, 0)
