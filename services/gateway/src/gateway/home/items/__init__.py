"""What stands on homes; what the events of each service put there is a module here, pure over resulting states."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from pydantic import BaseModel

from gateway.words import Words

Section = Literal["todo", "read", "waiting"]
"""What an item asks of the person: to do something, to look at something, or nothing until others have acted."""

Facts = Mapping[str, Any]
"""What is kept of what is known already: as JSON, and perhaps as an earlier version wrote it."""


class Action(NamedTuple):
    """An operation that does what an item asks, or a part of it.

    `path` has its ids as `{subject_id}` and `{organisation_id}`, those of the item. So has `body`, with facts by their
    names in braces; it is filled in as far as it is known, and `needs` are its fields that the person gives: without
    any, one tap does it. `when` says from an item's facts whether it is of any use now; without it, it always is.
    """

    operation_id: str
    method: Literal["GET", "POST", "PUT"]
    path: str
    body: Mapping[str, Any] | None = None
    needs: tuple[str, ...] = ()
    when: Callable[[Facts, datetime], bool] | None = None


class Kind(NamedTuple):
    """One kind of item: what it is about and called, for whom it is, what ends it, what it tells at once.

    `subject` is a kind of `gateway.subjects`. `audience` is `person` (one), `members` (everyone
    affiliated to an organisation or below it), or a permission (whoever holds it on that very organisation). An item
    leaves the home when its subject is over or, for one person, once they have done all its parts. `facts` is the form
    of what is known already.
    """

    name: str
    subject: str
    section: Section
    zh: str
    en: str
    audience: str
    ends: Literal["when over", "when done"]
    facts: type[BaseModel]
    title: Callable[[Facts], Words] | None = None
    """What an item of it is called by its facts, where they tell more than the kind's own words."""
    actions: tuple[Action, ...] = ()

    def titled(self, facts: Facts) -> Words:
        """Give what an item is called: the title of its subject stays with its service."""
        return self.title(facts) if self.title is not None else Words(self.zh, self.en)

    def whose(self, whom: UUID) -> str:
        """Name the audience of an item: a person, or the members or the staff of an organisation."""
        return f"staff:{self.audience}:{whom}" if "." in self.audience else f"{self.audience}:{whom}"


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


class Gone(NamedTuple):
    """What the item of this key was about is no more: it is closed, or where it was open `becomes` one of that kind."""

    key: str
    version: int
    since: datetime
    expires_at: datetime | None = None
    becomes: str | None = None


Shown = Callable[[Any, int, datetime], Iterable[Item | Done | Gone]]
"""Gives what an event of one state, its version and its time put on homes and take off them."""


def item(
    kind: Kind,
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
    about = (subject_id, organisation_id or whom, since, due_at, expires_at)
    return Item(f"{kind.name}:{key or subject_id}", version, kind.whose(whom), kind.name, *about, is_open, parts, facts)
