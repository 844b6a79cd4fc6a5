"""The six services as processes: what each is told, and what its database and its place on the bus are."""

import hashlib
import importlib.util
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from standalone import bus
from standalone.nats import NatsUser

NAMES = ("identity", "members", "activities", "learning", "feedback", "gateway")
WITNESSES = {name: "members" if name == "identity" else "identity" for name in NAMES}
"""Which other service witnesses the audit of each."""
DOOR = "gateway"
"""The service that people and programs outside reach; the others are reached through it."""
OPERATIONS = "operations"
"""The name of the door's second port, for those who operate it."""


def public_url(port: int) -> str:
    """Return the door's public address on this machine; by name, since browsers keep no passkey for a bare number."""
    return f"http://localhost:{port}"


@dataclass(frozen=True)
class Addresses:
    """Where everything is: a port for each service, an address of each service's database and bus account.

    `operations_port` is where the door tells its readiness and metrics, which its own port shows to nobody.
    """

    ports: Mapping[str, int]
    operations_port: int
    database_urls: Mapping[str, str]
    nats_urls: Mapping[str, str]

    @property
    def public_url(self) -> str:
        """The one address that people and front ends know."""
        return public_url(self.ports[DOOR])

    def url(self, service: str) -> str:
        """Return the base address of a service, for the other services."""
        return f"http://127.0.0.1:{self.ports[service]}"

    def ready_url(self, service: str) -> str:
        """Return where a service tells whether it can work."""
        port = self.operations_port if service == DOOR else self.ports[service]
        return f"http://127.0.0.1:{port}/health/ready"


def command(service: str, what: str) -> list[str]:
    """Return the command line for a service: `what` is all, api, worker or migrate."""
    # -P: a file in the working directory must not stand in for an installed package.
    return [sys.executable, "-P", "-m", service, what]


def environment(service: str, addresses: Addresses, secrets: Mapping[str, str]) -> dict[str, str]:
    """Return the whole environment of a service's process; `secrets` are settings of this service alone.

    What the person set in the environment (log level, collector of traces) reaches the services too.
    """
    settings = {
        "DATABASE_URL": addresses.database_urls[service],
        "NATS_URL": addresses.nats_urls[service],
        "HOST": "127.0.0.1",
        "PORT": str(addresses.ports[service]),
        "OPERATIONS_PORT": str(addresses.operations_port) if service == DOOR else "",
        "ISSUER": addresses.public_url,
        "JWKS_URL": f"{addresses.url('identity')}/oauth2/jwks" if "identity" in addresses.ports else "",
        **secrets,
    }
    if service == DOOR:
        settings |= {f"UPSTREAM_{name.upper()}": addresses.url(name) for name in addresses.ports if name != DOOR}
        settings |= {"PORTAL": str(folder)} if (folder := portal_folder()) is not None else {}
    return {**os.environ, **{f"XIANGQIAO_{name}": value for name, value in settings.items()}}


def nats_user(service: str, password: str) -> NatsUser:
    """Return a service's account on the bus: it may do there what `bus` says."""
    return NatsUser(service, password, publish=bus.publish_subjects(service), subscribe=bus.subscribe_subjects(service))


def folder_of(package: str) -> Path | None:
    """Find the files of an installed package without importing it, which takes seconds; None when it has none."""
    spec = importlib.util.find_spec(package)
    return None if spec is None or spec.origin is None else Path(spec.origin).parent


def portal_folder() -> Path | None:
    """Find what `make environment` builds of the web front end, of this checkout; None where there is none.

    Another folder is named by XIANGQIAO_PORTAL.
    """
    if named := os.environ.get("XIANGQIAO_PORTAL"):
        return Path(named)
    if (package := folder_of(DOOR)) is None:
        return None
    folder = package.parents[3] / ".cache" / "portal"
    return folder if folder.is_dir() else None


def fingerprint(service: str) -> str | None:
    """Return a digest of a service's code and migrations, None when they are not to be found as files."""
    if (package := folder_of(service)) is None:
        return None
    migrations = next(
        (place for place in (package / "migrations", package.parents[1] / "migrations") if place.is_dir()), None
    )
    if migrations is None:
        return None
    digest = hashlib.sha256()
    for file in sorted([*package.rglob("*.py"), *migrations.rglob("*.py")]):
        digest.update(str(file).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
