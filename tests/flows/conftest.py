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
from typing import NamedTuple

import pytest
import pytest_asyncio

from identity.messages.commands import TEXTS
from members.settings import Settings as SettingsOfMembers
from standalone import processes
from standalone.data_directory import DataDirectory
from standalone.running import ADMINISTRATORS, administrator_password
from standalone.seed import Authenticators, Passwords, SeedResult, seed
from standalone.seed.sign_in import SignedIn
from standalone.services import public_url
from testkit.limits import OUT_OF_REACH
from testkit.sms import SmsGateway
from testkit.spans import SpanReceiver
from testkit.wechat import WechatServer
from tests.flows.overhearing import Overheard, overhearing
from tests.flows.people import Person, first_of

COUNTY = "522635"  # the province's smallest: 70 villages
DEMO_PASSWORD = "journey-of-a-county"
URL = os.environ.get("XIANGQIAO_JOURNEY_URL")


_LATE = (
    "test_access_matrix.py",
    "test_unforeseen_input.py",
    "test_cut_link.py",
    "test_token_attacks.py",
    "test_rotation.py",
    "test_revocation.py",
    "test_privacy_dump.py",
)
"""After the journeys, in this order: what fills the system, what breaks parts of it, what looks for leaks of all."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have one worker ask the running system, after the other tests, in an order in which none spoils another."""
    here = Path(__file__).parent
    asking = [
        each for each in items if each.path.is_relative_to(here) and "system" in getattr(each, "fixturenames", ())
    ]
    for item in asking:
        item.add_marker(pytest.mark.xdist_group("system"))
    asking.sort(key=lambda item: _LATE.index(item.path.name) if item.path.name in _LATE else -1)
    items[:] = [each for each in items if each not in asking] + asking


class Outside(NamedTuple):
    """Whom the system speaks to: a gateway of short messages and a WeChat, as their public documentations say."""

    phones: SmsGateway
    wechat: WechatServer

    @property
    def variables(self) -> dict[str, str]:
        """The environment by which identity and members find them."""
        settings = {**self.phones.settings_for_texts([*TEXTS, *SettingsOfMembers.texts]), **self.wechat.settings}
        return {f"XIANGQIAO_{name.upper()}": value for name, value in settings.items()}


@dataclass(frozen=True)
class System:
    """A running system: its gateway, what was loaded, the spans it sent, its data and whom it speaks to outside.

    The spans, the data and those outside are None for a system elsewhere.
    """

    url: str
    seeded: SeedResult
    spans: SpanReceiver | None
    data: Path | None
    administrator_password: str
    overheard: Overheard
    load: Callable[[], Awaitable[SeedResult]]
    authenticators: Authenticators
    outside: Outside | None = None
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


def own_of(bootstrap: str) -> str:
    """Give the password that the administrators choose instead of the one they were given; the same in every run."""
    return f"{bootstrap}-chosen"


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
def _standalone(data: Path, collector: str, outside: Outside) -> Iterator[str]:
    """Run the system as `make run` does, without its demonstration; give its address once it says that it is ready."""
    port = processes.free_port()
    command = [str(Path(sys.executable).with_name("xiangqiao")), "run", "--no-seed", "--data", str(data)]
    console = data.parent / "console.log"
    with console.open("wb") as output:
        running = subprocess.Popen(  # noqa: S603 - our own command
            [*command, "--port", str(port)],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={
                **os.environ,
                **outside.variables,
                **OUT_OF_REACH,
                "XIANGQIAO_OTLP_ENDPOINT": collector,
                "XIANGQIAO_LOG_LEVEL": "debug",
                "XIANGQIAO_FAILURES_PER_ADDRESS": "10000",  # everybody here has the same address
                "XIANGQIAO_PASSWORD_MEMORY": "12",  # the least
            },
        )
        try:
            processes.wait_until(lambda: "services ready" in console.read_text() or running.poll() is not None, 600)
            assert "services ready" in console.read_text(), console.read_text()
            yield public_url(port)
        finally:
            running.send_signal(signal.SIGINT)
            assert running.wait(60) == 0, console.read_text()


@pytest_asyncio.fixture(scope="session")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    async with opened_system(tmp_path_factory) as opened:
        yield opened


@asynccontextmanager
async def opened_system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """Run the whole system with the demonstration county, or use the one that is named from outside."""
    async with AsyncExitStack() as stack:
        overheard = stack.enter_context(overhearing())
        outside = None
        if URL is not None:
            url, password, spans, data = URL, os.environ["XIANGQIAO_JOURNEY_PASSWORD"], None, None
        else:
            data = tmp_path_factory.mktemp("system") / "data"
            spans = stack.enter_context(SpanReceiver())
            phones = stack.enter_context(SmsGateway())
            outside = Outside(phones, stack.enter_context(WechatServer()))
            url = stack.enter_context(_standalone(data, spans.url, outside))
            password = administrator_password(DataDirectory(data), first=True)

        authenticators = Authenticators(DataDirectory(data if data is not None else _kept_for(url)))

        async def load() -> SeedResult:
            return await seed(
                url,
                administrators=Passwords(own_of(password), password),
                demonstration=Passwords(DEMO_PASSWORD, first_of(DEMO_PASSWORD)),
                authenticators=authenticators,
                watcher=_Silent(),
                scope=COUNTY,
            )

        yield System(url, await load(), spans, data, own_of(password), overheard, load, authenticators, outside)
