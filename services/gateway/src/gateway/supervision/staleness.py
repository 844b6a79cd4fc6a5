"""Which services what is read here may be behind of, and since when."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from gateway.supervision.capabilities import condition_of
from gateway.supervision.states import Picture


class Stale(BaseModel):
    """A service of which what is shown may not be the newest."""

    service: Annotated[str, Field(max_length=40, description="One of the services; the gateway itself for all.")]
    since: datetime


def stale_of(picture: Picture, services: Iterable[str]) -> list[Stale]:
    """Name the services that cannot tell what is new, or are late with it, in the order of their names."""
    found = [(service, condition_of(service, picture).since) for service in sorted(services)]
    return [Stale(service=service, since=since) for service, since in found if since is not None]
