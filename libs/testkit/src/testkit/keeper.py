"""Keeps one server of a test session: starts it, tells its address, stops it when the session's owner has ended."""

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

from standalone import processes
from standalone.nats import NatsAccount, NatsServer, NatsUser
from standalone.postgres import FOR_TESTS, PostgresServer
from standalone.refusals import CannotRun
from testkit.session import Session

ACCOUNTS = 64
_TRIES = 3


def _postgres(directory: Path) -> tuple[PostgresServer, dict[str, Any]]:
    server = PostgresServer(
        directory / "postgres",
        port=processes.free_port(),
        password="test",  # noqa: S106 - a server of this test session, on loopback
        log=directory / "postgres.log",
        settings={**FOR_TESTS, "max_connections": "300", "log_min_error_statement": "error"},
    )
    server.start()
    return server, {"password": "test"}


def _nats(directory: Path) -> tuple[NatsServer, dict[str, Any]]:
    names = [f"test{number:02}" for number in range(ACCOUNTS)]
    server = NatsServer(
        directory / "nats",
        port=processes.free_port(),
        accounts=[NatsAccount(name.upper(), (NatsUser(name, name),)) for name in names],
        log=directory / "nats.log",
        name="test",
        sync_interval="2m",
    )
    server.start()
    return server, {"accounts": names}


def _start(kind: str, directory: Path) -> tuple[PostgresServer | NatsServer, dict[str, Any]]:
    """Start the server on a free port; another program may take that port in between, so try again."""
    for attempt in range(1, _TRIES + 1):
        try:
            return _postgres(directory) if kind == "postgres" else _nats(directory)
        except CannotRun:
            if attempt == _TRIES:
                raise
    raise AssertionError("unreachable")


def keep(kind: str, directory: Path) -> None:
    """Run the server until a signal comes or the session's owner has ended."""
    came: list[int] = []  # not an event: a handler that waits for a lock may wait for the very thread it runs in
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: came.append(number))
    owner = Session(directory).owner
    server, facts = _start(kind, directory)
    try:
        file = directory / f"{kind}.json"
        unfinished = file.with_suffix(".tmp")
        unfinished.write_text(json.dumps({"pid": os.getpid(), "server_pid": server.pid, "port": server.port, **facts}))
        unfinished.rename(file)
        while not came and processes.is_alive(owner) and server.is_running:
            time.sleep(0.1)
    finally:
        server.stop()
        if not processes.is_alive(owner):
            shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    keep(sys.argv[1], Path(sys.argv[2]))
