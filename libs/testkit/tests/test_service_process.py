"""Shows that a fault test can kill, freeze and restart a process, and that none is left behind."""

import asyncio
import sys
from pathlib import Path

import httpx
import pytest

from standalone import processes
from testkit.service_process import NotReady, ServiceProcess

SERVE = "import http.server, os; http.server.test(http.server.SimpleHTTPRequestHandler, port=int(os.environ['PORT']))"


def server(tmp_path: Path) -> ServiceProcess:
    port = processes.free_port()
    return ServiceProcess(
        [sys.executable, "-c", SERVE],
        log=tmp_path / "log",
        environment={"PORT": str(port)},
        ready_url=f"http://127.0.0.1:{port}/",
    )


async def test_a_killed_process_can_be_started_again(tmp_path: Path) -> None:
    async with server(tmp_path) as process:
        first = process.pid
        process.kill()
        assert not process.is_running
        await process.start()
        assert process.pid != first
    assert not process.is_running


async def test_a_frozen_process_answers_nobody_until_it_is_thawed(tmp_path: Path) -> None:
    async with server(tmp_path) as process:
        process.freeze()
        with pytest.raises(NotReady, match="not ready in"):
            await process.wait_until_ready(timeout_seconds=0.3)
        process.thaw()
        await process.wait_until_ready()
        process.freeze()  # stopping works for a frozen one too


async def test_a_process_that_ends_at_once_says_why(tmp_path: Path) -> None:
    process = ServiceProcess(
        [sys.executable, "-c", "raise SystemExit('no database')"],
        log=tmp_path / "log",
        environment={},
        ready_url="http://127.0.0.1:9/",
    )
    with pytest.raises(NotReady, match="no database"):
        await process.start()


async def test_a_child_dies_when_the_process_that_started_it_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from standalone import processes; import time\n"
        "child = processes.spawn(['sleep', '60'], log=Path(sys.argv[1]))\n"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(tmp_path / "log"), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    child = int(await parent.stdout.readline())
    assert processes.is_alive(child)
    parent.kill()
    await parent.wait()
    assert await asyncio.to_thread(processes.wait_until, lambda: not processes.is_alive(child), 5)


async def test_a_ready_process_is_really_serving(tmp_path: Path) -> None:
    process = server(tmp_path)
    async with process, httpx.AsyncClient(trust_env=False) as client:
        assert process._ready_url is not None
        assert (await client.get(process._ready_url)).status_code == 200
