"""The whole system, started once as an operator starts it, with a real county loaded.

With XIANGQIAO_JOURNEY_URL (a gateway) and XIANGQIAO_JOURNEY_PASSWORD (its administrator's) the same journeys run
against a system that runs already.
"""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from standalone import processes
from standalone.data_directory import DataDirectory
from standalone.running import administrator_password
from standalone.seed import SeedResult, seed
from testkit.spans import SpanReceiver
from tests.flows.people import Person

COUNTY = "522635"  # the province's smallest: 70 villages
DEMO_PASSWORD = "journey-of-a-county"
URL = os.environ.get("XIANGQIAO_JOURNEY_URL")


@dataclass(frozen=True)
class System:
    """A running system: its gateway, what was loaded, the spans it sent and its data (none from elsewhere)."""

    url: str
    seeded: SeedResult
    spans: SpanReceiver | None
    data: Path | None
    load: Callable[[], Awaitable[SeedResult]]

    @asynccontextmanager
    async def person(self, username: str) -> AsyncIterator[Person]:
        """Sign somebody of the demonstration in."""
        async with Person(self.url, username, DEMO_PASSWORD) as person:
            yield person

    def person_id(self, username: str) -> str:
        """Give the id of somebody of the demonstration."""
        return next(str(person.person_id) for person in self.seeded.people if person.username == username)


class _Silent:
    """Watches the loading and says nothing."""

    def begin(self, step: str, total: int) -> None: ...

    def advance(self, parts: int = 1) -> None: ...


@contextmanager
def _standalone(data: Path, collector: str) -> Iterator[str]:
    """Run the system as `make run` does, without its demonstration; give its address once it says that it is ready."""
    port = processes.free_port()
    command = [str(Path(sys.executable).with_name("xiangqiao")), "run", "--no-seed", "--data", str(data)]
    console = data.parent / "console.log"
    with console.open("wb") as output:
        running = subprocess.Popen(  # noqa: S603 - our own command
            [*command, "--port", str(port)],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "XIANGQIAO_OTLP_ENDPOINT": collector},
        )
        try:
            processes.wait_until(lambda: "services ready" in console.read_text() or running.poll() is not None, 180)
            assert running.poll() is None, console.read_text()
            yield f"http://127.0.0.1:{port}"
        finally:
            running.send_signal(signal.SIGINT)
            assert running.wait(60) == 0, console.read_text()


@pytest_asyncio.fixture(scope="session")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    async with AsyncExitStack() as stack:
        if URL is not None:
            url, password, spans, data = URL, os.environ["XIANGQIAO_JOURNEY_PASSWORD"], None, None
        else:
            data = tmp_path_factory.mktemp("system") / "data"
            spans = stack.enter_context(SpanReceiver())
            url = stack.enter_context(_standalone(data, spans.endpoint))
            password = administrator_password(DataDirectory(data))

        async def load() -> SeedResult:
            return await seed(
                url,
                administrator_password=password,
                demo_password=DEMO_PASSWORD,
                watcher=_Silent(),
                scope=COUNTY,
            )

        yield System(url, await load(), spans, data, load)
