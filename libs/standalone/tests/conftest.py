"""What the tests of the standalone form share: a data directory and two services that are no services."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from standalone import processes
from standalone.data_directory import DataDirectory

FAKE_SERVICE = """
import http.server, os, pathlib, signal, sys, threading, time
name, home = sys.argv[0].split("/")[-2], pathlib.Path.cwd()
if sys.argv[1] == "migrate":
    with (home / "logs" / "migrations").open("a") as file:
        file.write(name + "\\n")
    sys.exit(0)
if (home / "logs" / (name + ".broken")).exists():
    sys.exit("the roof fell in")
if (home / "logs" / (name + ".stubborn")).exists():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "0"); self.end_headers()
def serve(setting):
    http.server.HTTPServer(("127.0.0.1", int(os.environ[setting])), Handler).serve_forever()
if os.environ["XIANGQIAO_OPERATIONS_PORT"]:
    threading.Thread(target=serve, args=["XIANGQIAO_OPERATIONS_PORT"], daemon=True).start()
serve("XIANGQIAO_PORT")
"""

RUN = """
import sys
from pathlib import Path
from standalone import running
from standalone.data_directory import DataDirectory
from standalone.refusals import CannotRun
from standalone.settings import Settings
say = lambda line: print(line, flush=True)
try:
    running.run(DataDirectory(Path(sys.argv[1])), Settings(gateway_port=int(sys.argv[2])), say=say,
                once_ready=lambda servers: say("running"), names=("identity", "gateway"))
except CannotRun as refusal:
    sys.exit(f"refused: {refusal}")
"""


class Run:
    """A supervisor in a process of its own, over two fake services."""

    def __init__(self, path: Path, packages: Path, port: int) -> None:
        self.home = DataDirectory(path)
        self.port = port
        self._output: list[str] = []
        self.process = subprocess.Popen(  # noqa: S603 - the program above
            [sys.executable, "-c", RUN, str(path), str(port)],
            env={**os.environ, "PYTHONPATH": str(packages)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def read_until(self, wanted: str) -> str:
        """Read lines until one has these words; fail when the process ends before."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._output.append(line)
            if wanted in line:
                return line
        raise AssertionError(f"no line has {wanted!r}: {''.join(self._output)}")

    def pids(self) -> dict[str, int]:
        """Give the ids of all processes that belong to the run."""
        services = {name: facts["pid"] for name, facts in self.home.state["services"].items()}
        postgres = int((self.home.postgres / "postmaster.pid").read_text().split()[0])
        return {**services, "postgres": postgres, "nats": int((self.home.nats / "pid").read_text())}

    def started(self, server: str, *, since: int) -> bool:
        """Tell whether the server runs as another process than the one with this id."""
        with suppress(OSError, IndexError, ValueError):  # its file is being written
            return self.pids()[server] != since
        return False

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> tuple[int, str]:
        """Wait for the end; return the status and everything that was printed."""
        rest, _ = self.process.communicate(timeout=30)
        return self.process.returncode, "".join(self._output) + rest


class Runs:
    """Starts runs on one data directory and leaves nothing of them."""

    def __init__(self, path: Path, packages: Path) -> None:
        self.path = path
        self.packages = packages
        self.made: list[Run] = []

    def start(self, *, port: int | None = None, until: str = "running") -> Run:
        run = Run(self.path, self.packages, port or processes.free_port())
        self.made.append(run)
        if until:
            run.read_until(until)
        return run

    def flag(self, name: str) -> Path:
        """Give the file that makes a fake service misbehave while it exists."""
        return self.path / "logs" / name


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a directory with fake services that stand in front of the real ones."""
    directory = tmp_path_factory.mktemp("packages")
    for name in ("identity", "gateway"):
        (directory / name).mkdir()
        (directory / name / "__init__.py").write_text("")
        (directory / name / "__main__.py").write_text(FAKE_SERVICE)
    return directory


@pytest.fixture(scope="session")
def home_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give one data directory for all tests of a worker: making a cluster takes its time."""
    return tmp_path_factory.mktemp("home") / "data"


@pytest.fixture
def runs(home_path: Path, packages: Path) -> Iterator[Runs]:
    made = Runs(home_path, packages)
    yield made
    for run in made.made:
        run.process.kill()
        run.process.communicate()
    for flag in (*home_path.glob("logs/*.broken"), *home_path.glob("logs/*.stubborn")):
        flag.unlink()
