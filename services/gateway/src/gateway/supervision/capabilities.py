"""What does not work now, as people would say it, by what is seen of each service's processes."""

import tomllib
from collections.abc import Mapping
from datetime import datetime
from importlib import resources
from typing import Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from gateway.supervision.states import Picture, State
from gateway.words import Words

Condition = Literal["fine", "behind", "unsteady", "down"]


MEANINGS: Final[Mapping[Condition, Words]] = {
    "fine": Words("正常", "Works"),
    "behind": Words("可以使用，但新内容会晚一些出现", "Works, but what is new appears later"),
    "unsteady": Words("不太稳定，可能要多试几次", "Unsteady; it may take several tries"),
    "down": Words("暂时用不了", "Does not work just now"),
}


_WORST_FIRST: Final[tuple[tuple[str, State, Condition], ...]] = (
    ("api", "away", "down"),
    ("api", "slow", "unsteady"),
    ("worker", "away", "behind"),
    ("worker", "slow", "behind"),
)


class Capability(BaseModel):
    """Something that people do with the system, and what they can do instead while it fails."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    service: str
    zh: str
    en: str
    instead_zh: str
    instead_en: str


CAPABILITIES: Final[Mapping[str, Capability]] = {
    name: Capability.model_validate(told)
    for name, told in tomllib.loads(
        (resources.files("gateway") / "supervision" / "capabilities.toml").read_text("utf-8")
    ).items()
}


class Told(NamedTuple):
    """How something does, and since when if it does not do well."""

    condition: Condition
    since: datetime | None


def condition_of(service: str, picture: Picture) -> Told:
    """Say how a service does for people: its API carries what they do, its worker what others hear of it.

    Of what was never heard of nothing bad is said.
    """
    for role, state, condition in _WORST_FIRST:
        seen = picture.get((service, role))
        if seen is not None and seen.state == state:
            return Told(condition, seen.since)
    return Told("fine", None)
