"""[portal-first-use] and [portal-all]: the portal over 40 kbit/s and 600 ms, beside the same bytes in one piece.

[portal-second]: opening it without a network once it was used, beside a page of words alone with one.
"""

import asyncio
import json
import shutil
import statistics
from pathlib import Path
from time import perf_counter
from typing import Any

from standalone import processes
from testkit.proxy import TcpProxy
from testkit.tokens import TokenIssuer
from tests.bench.forward import opened_gateway
from tests.bench.results import Result
from tests.bench.stage import ROOT, Stage
from tests.outside.node import installed, run

RATE = 5_000
"""Bytes a second: 40 kbit/s."""
ONE_WAY = 0.3
ROUNDS = 9
PORTAL = ROOT / ".cache" / "portal"
_BARS = {"portal-first-use": 1.3, "portal-all": 1.4, "portal-second": 2.0}


async def measure(stage: Stage) -> list[Result]:
    """Open the portal in Chromium, behind a slow line and behind none."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None or not (PORTAL / "index.html").exists():
        note = "not measured: there is no Chromium here, or the portal is not built"
        return [Result(name, None, "s", None, bar, "at_most", note) for name, bar in _BARS.items()]
    folder = await installed(ROOT / "tests" / "browser", scripts=[ROOT / "tests" / "portal"])
    with TokenIssuer() as issuer:
        async with (
            opened_gateway(stage, issuer, processes.free_port(), XIANGQIAO_PORTAL=str(PORTAL)) as (door, _),
            TcpProxy(door) as line,
        ):
            if stage.share == 1:
                line.limit(RATE)
                line.delay(ONE_WAY)
            results = []
            for name, what in (("portal-first-use", "entry"), ("portal-all", "all")):
                before = line.passed["to_client"]
                [seconds] = await _opened(folder, chromium, line.port, open=what)
                size = line.passed["to_client"] - before
                bare = await _bare(size, limited=stage.share == 1)
                note = f"{size / 1000:.1f} kB over 40 kbit/s and 600 ms, beside as many bytes in one piece"
                results.append(Result(name, seconds, "s", bare, _BARS[name], "at_most", note))
            pairs = await _opened(folder, chromium, door, open="second", rounds=stage.of(ROUNDS))
    value, empty = (statistics.median(pair[at] for pair in pairs) for at in (0, 1))
    note = "without a network, once it was used; beside a page of words with one"
    return [*results, Result("portal-second", value, "s", empty, _BARS["portal-second"], "at_most", note)]


async def _opened(folder: Path, chromium: str, port: int, **more: Any) -> Any:
    told = {"chromium": chromium, "url": f"http://127.0.0.1:{port}", **more}
    status, output = await run(["node", "loading.mjs"], folder, told=told, seconds=300)
    if status != 0:
        raise RuntimeError(output)
    return json.loads(output)


async def _bare(size: int, *, limited: bool) -> float:
    """Give the seconds in which so many bytes come over such a line, asked for by a word."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"x" * size)
        writer.close()

    server = await asyncio.start_server(say, "127.0.0.1", 0)
    async with server, TcpProxy(server.sockets[0].getsockname()[1]) as line:
        if limited:
            line.limit(RATE)
            line.delay(ONE_WAY)
        began = perf_counter()
        reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
        writer.write(b"please\n")
        await reader.readexactly(size)
        took = perf_counter() - began
        writer.close()
    return took
