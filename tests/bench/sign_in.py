"""[sign-in] and [sign-in-cpu]: what a sign-in takes beside the hash of its password."""

import base64
import hashlib
import re
import secrets
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import unescape
from urllib.parse import urljoin

import httpx

from database import KeyRing
from identity.credentials.passwords import HASHER
from standalone import processes
from standalone.seed.sign_in import SignedIn
from testkit.service_process import ServiceProcess
from tests.bench.results import Result
from tests.bench.stage import Stage, cpu_seconds

ROUNDS = 40
WARM_UP = 5
USERNAME = "administrator"
PASSWORD = "门前一棵老槐树-2026"
FIRST_PASSWORD = "门前两棵老槐树-2026"
CALLBACK = "http://127.0.0.1/callback"


async def measure(stage: Stage) -> list[Result]:
    """Send the right password to a running identity, in turn with the hash of it alone, which costs the same here."""
    encoded = HASHER.hash(PASSWORD)
    warm_up = stage.of(WARM_UP)
    async with _identity(stage) as (url, process):
        await SignedIn(url, USERNAME, PASSWORD, first_password=FIRST_PASSWORD).headers()
        rounds = []
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as browser:
            for _ in range(warm_up + stage.of(ROUNDS)):
                hashing = _hashed(encoded)
                rounds.append((*hashing, *await _signed_in(browser, process.pid)))
    hash_wall, hash_cpu, wall, cpu = (
        statistics.median(column) * 1000 for column in zip(*rounds[warm_up:], strict=True)
    )
    note = "POST /sign-in to the redirect: all but argon2id, beside all of it"
    return [
        Result("sign-in", wall - hash_wall, "ms", wall, 0.15, "at_most", note),
        Result(
            "sign-in-cpu", cpu - hash_cpu, "ms", cpu, 0.15, "at_most", "the same, in CPU time of identity's process"
        ),
    ]


def _hashed(encoded: str) -> tuple[float, float]:
    """Check the password's hash here; give the seconds it took, and of these the CPU's."""
    began, used = time.perf_counter(), time.thread_time()
    HASHER.verify(encoded, PASSWORD)
    return time.perf_counter() - began, time.thread_time() - used


async def _signed_in(browser: httpx.AsyncClient, pid: int) -> tuple[float, float]:
    """Open the page for a client and send the form; give the seconds the latter took, and those of identity's CPU."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(secrets.token_bytes(32)).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code",
        "client_id": "command-line",
        "redirect_uri": CALLBACK,
        "scope": "openid",
        "state": "bench",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    page = await browser.get("/oauth2/authorize", params=asked, follow_redirects=True)
    form = re.search(r'<form method="post" action="([^"]*)">(.*?)</form>', page.text, re.DOTALL)
    if form is None:
        raise RuntimeError(f"no sign-in page: {page.status_code}")
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form[2])
    filled = {**{name: unescape(value) for name, value in hidden}, "username": USERNAME, "password": PASSWORD}
    target = urljoin(str(page.url), unescape(form[1]))
    began, used = time.perf_counter(), cpu_seconds(pid)
    answer = await browser.post(target, data=filled)
    took, used = time.perf_counter() - began, cpu_seconds(pid) - used
    if not answer.headers.get("location", "").startswith(CALLBACK):
        raise RuntimeError(f"not signed in: {answer.status_code}")
    return took, used


@asynccontextmanager
async def _identity(stage: Stage) -> AsyncIterator[tuple[str, ServiceProcess]]:
    port = processes.free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        "XIANGQIAO_DATABASE_URL": await stage.migrated("identity"),
        "XIANGQIAO_NATS_URL": stage.nats_url,
        "XIANGQIAO_ISSUER": url,
        "XIANGQIAO_JWKS_URL": f"{url}/oauth2/jwks",
        "XIANGQIAO_PORT": str(port),
        "XIANGQIAO_LOG_LEVEL": "warning",
        "XIANGQIAO_SEALING_KEY": KeyRing.generate(),
        "XIANGQIAO_PHONE_KEY": KeyRing.generate(),
        "XIANGQIAO_BOOTSTRAP_PASSWORD": FIRST_PASSWORD,
    }
    command = [sys.executable, "-m", "identity", "api"]
    log = stage.folder / "identity.log"
    async with ServiceProcess(command, log=log, environment=environment, ready_url=f"{url}/health/ready") as process:
        yield url, process
