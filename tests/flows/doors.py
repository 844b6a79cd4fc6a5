"""All ways into the system for somebody who is signed in: each service itself, and each through the gateway."""

from standalone.data_directory import DataDirectory
from standalone.services import NAMES

ASKED_OF_EACH = {
    "identity": "/v1/me",
    "gateway": "/v1/home",
    **{name: f"/v1/me/access-log/{name}" for name in ("members", "activities", "learning", "feedback")},
}
"""What everybody who is signed in may ask of each service."""


class Doors:
    """The doors of the system at `url`, whose data is in `home`."""

    def __init__(self, url: str, home: DataDirectory) -> None:
        self.url = url
        self.home = home

    @property
    def urls(self) -> dict[str, str]:
        """A protected operation behind each door."""
        ports = self.home.state["ports"]
        direct = {name: f"http://127.0.0.1:{ports[name]}{ASKED_OF_EACH[name]}" for name in NAMES if name != "gateway"}
        return {**direct, **{f"gateway to {name}": f"{self.url}{path}" for name, path in ASKED_OF_EACH.items()}}

    @property
    def ready_urls(self) -> dict[str, str]:
        """Where each service tells whether it can work."""
        ports = self.home.state["ports"]
        told = {name: ports.get("operations", ports[name]) if name == "gateway" else ports[name] for name in NAMES}
        return {name: f"http://127.0.0.1:{port}/health/ready" for name, port in told.items()}
