"""[forward-nginx] and [forward-direct]: what the gateway's forwarding costs, beside nginx and beside no gateway.

[forward-tag] and [forward-gzip]: what it forwards with a feature, beside itself without. No two requests are equal:
those that are in flight together would share one exchange.
"""

import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from standalone import processes
from testkit.limits import OUT_OF_REACH
from testkit.service_process import ServiceProcess
from testkit.tokens import TokenIssuer
from tests.bench.load import answered_per_second, http_request
from tests.bench.results import Result
from tests.bench.stage import Stage, cpu_seconds, median_pair
from tests.outside import nginx

ROUNDS = 3
PATH = "/v1/courses"
BODY = '{"items":["' + "x" * 780 + '"]}'
SECONDS = 4.0
_FEATURES = {"forward-tag": {"if-none-match": 'W/"another"'}, "forward-gzip": {"accept-encoding": "gzip"}}
_SERVER = """
  upstream fast {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ {action} }}
  }}
"""
_FORWARD = 'proxy_pass http://fast; proxy_http_version 1.1; proxy_set_header Connection "";'


async def measure(stage: Stage) -> list[Result]:
    """Forward to a fast upstream by both proxies, then to a FastAPI route with and without the gateway."""
    with TokenIssuer() as issuer:
        headers = issuer.headers(UUID(int=1))
        return [
            *await _beside_nginx(stage, nginx.program(), issuer, headers),
            await _beside_nothing(stage, issuer, _asking(headers)),
        ]


async def _beside_nginx(
    stage: Stage, program: str | None, issuer: TokenIssuer, headers: dict[str, str]
) -> list[Result]:
    """Compare requests for each second of the proxy's processor time, so that the rest of the machine is left out."""
    if program is None:
        note = "not measured: there is no nginx here, and none could be fetched"
        return [
            Result(name, None, "requests/s", None, bar, note=note)
            for name, bar in (("forward-nginx", 0.2), *((name, 0.95) for name in _FEATURES))
        ]
    fast, seconds, plain = processes.free_port(), stage.seconds(SECONDS), _asking(headers)
    async with (
        _nginx(stage.folder / "fast", program, port=fast, upstream=1, action=f"return 200 '{BODY}';"),
        _nginx(stage.folder / "nginx", program, port=(port := processes.free_port()), upstream=fast) as worker,
        opened_gateway(stage, issuer, fast) as (door, gateway),
    ):
        value, most = await median_pair(
            stage.of(ROUNDS),
            lambda: _per_processor_second(door, gateway.pid, plain, seconds),
            lambda: _per_processor_second(port, worker, plain, seconds),
        )
        note = "GET with token check and metrics, for each second of one core"
        results = [Result("forward-nginx", value, "requests/s", most, 0.2, note=note)]
        for name, more in _FEATURES.items():
            featured = _asking({**headers, **more})
            value, most = await median_pair(
                stage.of(ROUNDS),
                lambda featured=featured: _per_processor_second(door, gateway.pid, featured, seconds),  # type: ignore[misc]
                lambda: _per_processor_second(door, gateway.pid, plain, seconds),
            )
            results.append(Result(name, value, "requests/s", most, 0.95, note="beside the same door without"))
    return results


def _asking(headers: dict[str, str]) -> Callable[[int], bytes]:
    """Give what makes requests that differ in their number."""
    before, after = http_request("GET", f"{PATH}?number=*", headers).split(b"*", 1)
    return lambda number: b"%b%d%b" % (before, number, after)


async def _beside_nothing(stage: Stage, issuer: TokenIssuer, asking: Callable[[int], bytes]) -> Result:
    port = processes.free_port()
    environment = {"BARE_DATABASE_URL": await stage.database_url("bare"), "BARE_PORT": str(port)}
    service = ServiceProcess(
        [sys.executable, "-m", "tests.bench.bare"],
        log=stage.folder / "bare.log",
        environment=environment,
        ready_url=f"http://127.0.0.1:{port}{PATH}",
    )
    async with service, opened_gateway(stage, issuer, port) as (door, gateway):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(gateway.pid, {cores[0]})
        os.sched_setaffinity(service.pid, {cores[-1]})
        os.sched_setaffinity(0, {cores[-1]})  # the load itself: beside the service in both, so that it changes neither
        try:
            value, most = await median_pair(
                stage.of(ROUNDS),
                lambda: answered_per_second(door, asking, seconds=stage.seconds(SECONDS)),
                lambda: answered_per_second(port, asking, seconds=stage.seconds(SECONDS)),
            )
        finally:
            os.sched_setaffinity(0, cores)
    note = "through the gateway and straight to a FastAPI route, a core each, the load beside the service"
    return Result("forward-direct", value, "requests/s", most, 0.85, note=note)


async def _per_processor_second(port: int, pid: int, asking: Callable[[int], bytes], seconds: float) -> float:
    before = cpu_seconds(pid)
    answered = await answered_per_second(port, asking, seconds=seconds) * seconds
    return answered / (cpu_seconds(pid) - before)


@asynccontextmanager
async def _nginx(folder: Path, program: str, *, port: int, upstream: int, action: str = _FORWARD) -> AsyncIterator[int]:
    """Run nginx with one worker and give the worker's process id."""
    servers = _SERVER.format(port=port, upstream=upstream, action=action)
    async with nginx.running(folder, program, servers, port=port) as worker:
        yield worker


@asynccontextmanager
async def opened_gateway(
    stage: Stage, issuer: TokenIssuer, upstream: int, *, url: str | None = None, **more: str
) -> AsyncIterator[tuple[int, ServiceProcess]]:
    """Run a gateway with `more` settings before one service, over an empty database unless one is given.

    Gives its port and process.
    """
    url, port, operations = url or await stage.migrated("gateway"), processes.free_port(), processes.free_port()
    environment = {
        "XIANGQIAO_DATABASE_URL": url,
        "XIANGQIAO_NATS_URL": stage.nats_url,
        "XIANGQIAO_ISSUER": issuer.issuer,
        "XIANGQIAO_JWKS_URL": issuer.jwks_url,
        "XIANGQIAO_PORT": str(port),
        "XIANGQIAO_OPERATIONS_PORT": str(operations),
        "XIANGQIAO_LOG_LEVEL": "error",
        **OUT_OF_REACH,  # the buckets of persons are taken from, and do not refuse
        **{
            f"XIANGQIAO_UPSTREAM_{service}": f"http://127.0.0.1:{upstream}"
            for service in ("IDENTITY", "MEMBERS", "ACTIVITIES", "LEARNING", "FEEDBACK")
        },
        **more,
    }
    process = ServiceProcess(
        [sys.executable, "-m", "gateway", "api"],
        log=stage.folder / f"gateway-{port}.log",
        environment=environment,
        ready_url=f"http://127.0.0.1:{operations}/health/ready",
    )
    async with process:
        yield port, process
