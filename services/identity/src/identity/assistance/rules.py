"""What an assisted session may be: which actions there are, how long each step has, how it stands."""

import tomllib
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from importlib import resources
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import Field, TypeAdapter

from identity.purposes.rules import Stated

Evidence = Literal["one_time_code", "witness"]
Status = Literal["asked", "consented", "active", "ended", "lapsed"]

CONSENT_WITHIN: Final = timedelta(minutes=10)
"""How long a request for help waits for the consent."""
TICKET_LIFETIME: Final = timedelta(minutes=5)
SESSION_LIFETIME: Final = timedelta(minutes=30)
"""From the consent on, whenever the ticket was exchanged; nothing prolongs it."""
ASSISTED_ACR: Final = "1"
"""A code proves one factor. A witness beside the helper is one witness: in person with two would be "3"."""


class Action(Stated):
    """What an action is called where people agree to it."""

    zh: Annotated[str, Field(min_length=1, max_length=40)]
    en: Annotated[str, Field(min_length=1, max_length=60)]


ACTIONS: Final = TypeAdapter(dict[str, Action]).validate_python(
    tomllib.loads((resources.files("identity.assistance") / "actions.toml").read_text("utf-8"))
)


class ActionUnlisted(Exception):
    """An action is not one that anybody may be helped with."""


class HelpForOneself(Exception):
    """Nobody is their own helper, or the witness of their own session."""


class NotAsked(Exception):
    """The session does not wait for this: it has another evidence, is agreed to already, or its time is over."""


class NoConsent(Exception):
    """The person has not agreed yet, or the session is over."""


class Times(NamedTuple):
    """The moments of an assisted session, as far as they came."""

    asked_at: datetime
    consented_at: datetime | None
    expires_at: datetime | None
    exchanged_at: datetime | None
    ended_at: datetime | None


def status_at(times: Times, now: datetime) -> Status:
    """Say how a session stands."""
    if times.ended_at is not None or (times.expires_at is not None and times.expires_at <= now):
        return "ended" if times.consented_at is not None else "lapsed"
    if times.consented_at is None:
        return "asked" if now < times.asked_at + CONSENT_WITHIN else "lapsed"
    return "active" if times.exchanged_at is not None else "consented"


def require_listed(actions: Collection[str]) -> list[str]:
    """Give the actions, each once and in order; raises `ActionUnlisted`."""
    if not set(actions) <= ACTIONS.keys():
        raise ActionUnlisted
    return sorted(set(actions))


def titles_of(actions: Sequence[str], language: str) -> str:
    """Name actions in one line, as a message to the person does."""
    named = [ACTIONS[action].en if language == "en" else ACTIONS[action].zh for action in actions if action in ACTIONS]
    return ", ".join(named) if language == "en" else "、".join(named)
