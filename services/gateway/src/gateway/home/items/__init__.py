"""What the events of each service put on whose home, and what is done by them: pure functions over resulting states."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from gateway.home.kinds import KINDS


class Item(NamedTuple):
    """One thing to do or to read, for everyone who is in its audience.

    It leaves the home when it is no longer open or has expired, and a person's own once they have done all its
    `parts`, where it has any; being overdue keeps it there.
    """

    key: str
    version: int
    audience: str
    kind: str
    subject_id: UUID
    organisation_id: UUID
    since: datetime
    due_at: datetime | None
    expires_at: datetime | None
    open: bool
    parts: Sequence[UUID]
    facts: dict[str, Any]


class Done(NamedTuple):
    """Whether one person has done one part of what items of a kind ask; the only part may be the subject itself."""

    person_id: UUID
    kind: str
    subject_id: UUID
    part_id: UUID
    version: int
    done: bool


Shown = Callable[[Any, int, datetime], Iterable[Item | Done]]
"""Gives what an event of one state, its version and its time put on homes and take off them."""


def item(
    kind: str,
    version: int,
    *,
    whom: UUID,
    subject_id: UUID,
    since: datetime,
    facts: dict[str, Any],
    key: UUID | None = None,
    organisation_id: UUID | None = None,
    due_at: datetime | None = None,
    expires_at: datetime | None = None,
    is_open: bool = True,
    parts: Sequence[UUID] = (),
) -> Item:
    """Make an item of a kind for the audience that the kind has of `whom`, an organisation unless one is named.

    `key` is what it is about, per kind: its subject unless it says what.
    """
    audience = KINDS[kind].whose(whom)
    about = (subject_id, organisation_id or whom, since, due_at, expires_at)
    return Item(f"{kind}:{key or subject_id}", version, audience, kind, *about, is_open, parts, facts)
