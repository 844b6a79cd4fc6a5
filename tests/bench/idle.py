"""[idle] and [idle-memory]: what the standalone system takes while nobody asks it for anything."""

import asyncio
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from standalone import processes
from testkit.service_process import NotReady, ServiceProcess
from tests.bench.results import Result
from tests.bench.stage import Stage

SETTLING_SECONDS = 30.0  # what loading left behind is folded, vacuumed and written out meanwhile
SECONDS = 120.0
MINUTE = 60
READY_SECONDS = 900
TICKS = os.sysconf("SC_CLK_TCK")


async def measure(stage: Stage) -> list[Result]:
    """Run the system as `make run` does, with its demonstration county unless it only has to run, and leave it be."""
    is_whole = stage.share == 1
    command = [str(Path(sys.executable).with_name("xiangqiao")), "run", "--data", str(stage.folder / "data")]
    command += ["--port", str(processes.free_port()), "--seed" if is_whole else "--no-seed"]
    async with ServiceProcess(command, log=stage.folder / "system.log", environment={}) as system:
        await _until_told(system, r"members loaded" if is_whole else r"services ready")
        await asyncio.sleep(stage.seconds(SETTLING_SECONDS))
        began, used = time.perf_counter(), _processor_seconds(system.pid)
        await asyncio.sleep(stage.seconds(SECONDS))
        used, took = _processor_seconds(system.pid) - used, time.perf_counter() - began
        memory = sum(resident_bytes(pid) for pid in _family(system.pid))
    note = "all processes of `make run` at rest; the ceiling is one core, whose 8 % is the bar"
    return [
        Result("idle", used / took * MINUTE, "CPU s/min", MINUTE, 0.08, "at_most", note),
        Result("idle-memory", memory / 2**20, "MiB", note="the same; what processes share is counted once"),
    ]


async def _until_told(system: ServiceProcess, what: str) -> None:
    async with asyncio.timeout(READY_SECONDS):
        while not re.search(what, system.log.read_text(errors="replace")):
            if not system.is_running:
                raise NotReady(f"the system ended: {processes.last_lines(system.log, 5)}")
            await asyncio.sleep(0.2)


def _family(pid: int) -> Iterator[int]:
    """Give a process and all below it."""
    yield pid
    for thread in Path(f"/proc/{pid}/task").iterdir():
        for child in (thread / "children").read_text().split():
            yield from _family(int(child))


def _processor_seconds(pid: int) -> float:
    """Give the CPU time of a process and all below it, those included that have ended meanwhile."""
    ticks = 0
    for each in _family(pid):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(map(int, fields[11:15]))  # its own and that of the children it saw end, in user and in kernel mode
    return ticks / TICKS


def resident_bytes(pid: int) -> int:
    """Give the memory of a process, of a shared page its part alone (PSS)."""
    told = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    return int(told[1]) * 1024 if told else 0
