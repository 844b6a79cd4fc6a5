"""A signal may come between any two steps of the supervisor; it always ends what is supervised."""

import subprocess
import sys

AT_EVERY_LINE = """
import os, signal, sys
from pathlib import Path
from types import SimpleNamespace
from standalone import running, supervisor
from standalone.data_directory import DataDirectory

supervisor.time = SimpleNamespace(monotonic=supervisor.time.monotonic, sleep=lambda _: None)
home = DataDirectory(Path(sys.argv[1]))
server = SimpleNamespace(log=home.path / "log", launch=lambda: None, process=SimpleNamespace(poll=lambda: None))
servers = SimpleNamespace(postgres=server, nats=server)

def supervise(line):
    seen = 0
    def trace(frame, event, argument):
        nonlocal seen
        seen += event == "line"
        if event == "line" and seen == line:
            os.kill(os.getpid(), signal.SIGTERM)
        return trace
    with running._Signals() as signals:
        supervised = supervisor.Supervisor(home, servers, (), secrets={})
        sys.settrace(trace)
        try:
            supervised.supervise(lambda: signals.stopped)
        finally:
            sys.settrace(None)

for line in range(1, 200):
    supervise(line)
print("ended")
"""


def test_a_signal_at_any_line_ends_what_is_supervised(tmp_path: object) -> None:
    ended = subprocess.run(  # noqa: S603 - the program above
        [sys.executable, "-c", AT_EVERY_LINE, str(tmp_path)], capture_output=True, text=True, timeout=30, check=False
    )
    assert (ended.returncode, ended.stdout) == (0, "ended\n"), ended.stderr
