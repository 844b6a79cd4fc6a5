"""What of a system runs now, as an operator asks it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
from rich.table import Table

from standalone import processes, services
from standalone.data_directory import DataDirectory
from standalone.supervisor import is_ready


@dataclass(frozen=True)
class Row:
    """One process of the system: where it listens, whether it can work, how often it had to be started again."""

    name: str
    port: int
    pid: int | None
    ready: bool
    failures: int


def inspect(home: DataDirectory) -> list[Row]:
    """Ask everything that belongs to the data directory; an empty list when it does not run."""
    state = home.state
    if "ports" not in state or not home.is_in_use():
        return []
    ports: dict[str, int] = dict(state["ports"])
    ready_ports = {**ports, services.DOOR: ports.pop(services.OPERATIONS)}
    known: dict[str, dict[str, int]] = state.get("services", {})
    with httpx.Client(trust_env=False, timeout=3) as client, ThreadPoolExecutor(len(ports)) as threads:

        def ask(name: str) -> Row:
            facts = known.get(name, {})
            pid = facts.get("pid")
            if name in services.NAMES:
                url = f"http://127.0.0.1:{ready_ports[name]}/health/ready"
                ready = pid is not None and processes.is_alive(pid) and is_ready(client, url)
            else:
                ready = not processes.is_port_free(ports[name])
            return Row(name, ports[name], pid, ready, facts.get("failures", 0))

        return list(threads.map(ask, ports))


def table(rows: list[Row]) -> Table | str:
    """Return what was found as a table, or one line when nothing runs."""
    if not rows:
        return "nothing runs here; start it with: xiangqiao run"
    shown = Table(box=None, pad_edge=False)
    for heading in ("", "state", "port", "process", "ended"):
        shown.add_column(heading, justify="right" if heading in {"port", "process", "ended"} else "left")
    for row in rows:
        ended = f"{row.failures}×" if row.failures else ""
        shown.add_row(row.name, "ready" if row.ready else "not ready", str(row.port), str(row.pid or ""), ended)
    return shown
