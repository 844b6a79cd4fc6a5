"""The whole system, started once as an operator starts it, with a real county loaded.

With XIANGQIAO_JOURNEY_URL (a gateway) and XIANGQIAO_JOURNEY_PASSWORD (its administrator's) the same journeys run
against a system that runs already.
"""

import hashlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from standalone import processes
from standalone.data_directory import DataDirectory
from standalone.running import ADMINISTRATORS, administrator_password
from standalone.seed import Authenticators, SeedResult, seed
from standalone.seed.sign_in import SignedIn
from testkit.spans import SpanReceiver
from tests.flows.overhearing import Overheard, overhearing
from tests.flows.people import Person

COUNTY = "522635"  # the province's smallest: 70 villages
DEMO_PASSWORD = "journey-of-a-county"
URL = os.environ.get("XIANGQIAO_JOURNEY_URL")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have what looks for leaks come after everything that could have made one, in the group of one worker too."""
    items.sort(key=lambda item: item.path.name == "test_privacy_dump.py")


@dataclass(frozen=True)
class System:
    """A running system: its gateway, what was loaded, the spans it sent and its data (none from elsewhere)."""

    url: str
    seeded: SeedResult
    spans: SpanReceiver | None
    data: Path | None
    administrator_password: str
    overheard: Overheard
    load: Callable[[], Awaitable[SeedResult]]
    authenticators: Authenticators
    signed_in: dict[str, SignedIn] = field(default_factory=dict)

    @asynccontextmanager
    async def person(self, username: str) -> AsyncIterator[Person]:
        """Sign in one of the demonstration, or an administrator; with an app they stay so, for its codes are few."""
        password = self.administrator_password if username in ADMINISTRATORS else DEMO_PASSWORD
        app = self.authenticators.of(username)
        signed_in = None
        if app is not None:
            signed_in = self.signed_in.setdefault(
                username, SignedIn(self.url, username, password, second_factor=app.code)
            )
        async with Person(self.url, username, password, signed_in=signed_in) as person:
            yield person

    def person_id(self, username: str) -> str:
        """Give the id of somebody of the demonstration."""
        return next(str(person.person_id) for person in self.seeded.people if person.username == username)


def _kept_for(url: str) -> Path:
    """Give a folder that outlives this run, for the second factors of people on a system that does so too."""
    name = f"xiangqiao-journey-{hashlib.sha256(url.encode()).hexdigest()[:16]}"
    folder = Path(tempfile.gettempdir()) / name
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


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
            env={**os.environ, "XIANGQIAO_OTLP_ENDPOINT": collector, "XIANGQIAO_LOG_LEVEL": "debug"},
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
        overheard = stack.enter_context(overhearing())
        if URL is not None:
            url, password, spans, data = URL, os.environ["XIANGQIAO_JOURNEY_PASSWORD"], None, None
        else:
            data = tmp_path_factory.mktemp("system") / "data"
            spans = stack.enter_context(SpanReceiver())
            url = stack.enter_context(_standalone(data, spans.endpoint))
            password = administrator_password(DataDirectory(data))

        authenticators = Authenticators(DataDirectory(data if data is not None else _kept_for(url)))

        async def load() -> SeedResult:
            return await seed(
                url,
                administrator_password=password,
                demo_password=DEMO_PASSWORD,
                authenticators=authenticators,
                watcher=_Silent(),
                scope=COUNTY,
            )

        yield System(url, await load(), spans, data, password, overheard, load, authenticators)
