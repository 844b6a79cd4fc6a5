"""nginx, as a program beside the project: what stands in front of it, and what it is measured against."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from standalone import processes
from testkit.service_process import ServiceProcess

FETCHED = Path(__file__).parents[2] / ".cache/nginx/usr/sbin"  # by the script `nginx` beside this

_CONFIGURATION = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder}; uwsgi_temp_path {folder};
  scgi_temp_path {folder};
  default_type application/json;
  keepalive_requests 1000000000;
{servers}
}}
"""


def program() -> str | None:
    """Give the path of nginx, where there is one."""
    return next(filter(None, (shutil.which("nginx", path=path) for path in (None, "/usr/sbin", FETCHED))), None)


@asynccontextmanager
async def running(folder: Path, program: str, servers: str, *, port: int) -> AsyncIterator[int]:
    """Run nginx with one worker until the block ends; give the worker's process id once `port` is taken.

    `servers` is what stands inside `http`. Its files are in `folder`, which is made.
    """
    command = [program, "-c", str(_configured(folder, servers)), "-e", str(folder / "error.log")]
    async with ServiceProcess(command, log=folder / "log", environment={}) as master:
        for _ in range(200):
            if _children(master.pid) and not processes.is_port_free(port):
                break
            await asyncio.sleep(0.05)
        yield _children(master.pid)[0]


def _configured(folder: Path, servers: str) -> Path:
    folder.mkdir()
    path = folder / "nginx.conf"
    path.write_text(_CONFIGURATION.format(folder=folder, servers=servers))
    return path


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
