"""One entry of the audit: who did what, to whom, for what purpose; written in the command's own transaction."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from operator import attrgetter
from typing import Final, Literal, NamedTuple
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

import orgtree
from contracts import Origin
from database import Closing, raw, write_last
from messaging import origin
from webapi import Principal

Decision = Literal["allowed", "refused"]
Offices = tuple[tuple[str, UUID], ...]
"""Roles, each with the organisation on which it is held."""
_CODE: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What happened, in codes and ids: no name, no number, no word that a person wrote.

    `action` is `<service>.<thing>.<done>`. `actor` acted, a helper in an assisted session; `on_behalf_of` is the person
    helped. `actor_role` and `actor_organisation_id` are the office that allowed it. `subject` is the person whom it
    concerns, `object_id` the thing, `organisation_id` the organisation. `offices` are all that allowed it, where there
    are several: `record` names the one nearest above the organisation. Raises `ValueError` for what is no code.
    """

    action: str
    actor: UUID | None = None
    actor_role: str | None = None
    actor_organisation_id: UUID | None = None
    on_behalf_of: UUID | None = None
    assist_id: UUID | None = None
    subject: UUID | None = None
    object_id: UUID | None = None
    organisation_id: UUID | None = None
    purpose: str | None = None
    decision: Decision = "allowed"
    rule: str | None = None
    offices: Offices = ()

    def __post_init__(self) -> None:
        """Refuse anything but codes."""
        for code in (self.action, self.purpose, self.rule, self.actor_role):
            if code is not None and not _CODE.fullmatch(code):
                raise ValueError("an entry of the audit holds codes and ids alone")


_COLUMNS: Final = tuple(field.name for field in fields(Entry) if field.name != "offices")
_values: Final = attrgetter(*_COLUMNS)
_CODES: Final = ("action", "actor_role", "purpose", "decision", "rule")
_ARRAYS: Final = ["text[]" if name in _CODES else "uuid[]" for name in _COLUMNS]
_INTO: Final = f"insert into audit.entry (happened_at, {', '.join(_COLUMNS)})"
_INSERT: Final = Closing(
    f"{_INTO} values ($1, {', '.join(f'${number}' for number in range(2, len(_COLUMNS) + 2))})",
    f"{_INTO} select row.happened_at, {', '.join(f'row.{name}' for name in _COLUMNS)} from unnest($1::timestamptz[], "  # noqa: S608 - names of a class
    f"{', '.join(f'${number}::{kind}' for number, kind in enumerate(_ARRAYS, start=2))}"
    f") with ordinality as row (happened_at, {', '.join(_COLUMNS)}, ordinal) order by row.ordinal",
)

_ABOVE: Final = "select organisation_id, ancestors from organisation where organisation_id = any($1::uuid[])"


async def record(session: AsyncSession | asyncpg.Connection, entry: Entry, *, now: datetime) -> None:
    """Write an entry in the transaction of a session or a `raw_transaction`; it stands if and only if that commits."""
    await record_all(session, (entry,), now=now)


async def count_refusal(session: AsyncSession, attempt: Entry) -> None:
    """Count a try of somebody without any such permission: by hour, actor and action, and nothing else of it is kept.

    Else anybody could fill other people's access logs. The hour becomes one entry when it is over.
    """
    await (await raw(session)).execute("select audit.count_refusal($1, $2)", attempt.actor, attempt.action)


async def record_all(session: AsyncSession | asyncpg.Connection, entries: Sequence[Entry], *, now: datetime) -> None:
    """Write several entries by one statement, in their order."""
    named = await _by_nearest_offices(await raw(session), entries)
    await write_last(session, _INSERT, [(now, *_values(entry)) for entry in named])


async def _by_nearest_offices(connection: asyncpg.Connection, entries: Sequence[Entry]) -> list[Entry]:
    """Name in each entry, of several offices that allowed it, the one nearest above its organisation."""
    asked = {entry.organisation_id for entry in entries if len(entry.offices) > 1 and entry.organisation_id is not None}
    if not asked:
        return list(entries)
    above = {row["organisation_id"]: row["ancestors"] or [] for row in await connection.fetch(_ABOVE, list(asked))}
    return [_by_nearest_office(entry, above.get(entry.organisation_id, [])) for entry in entries]


def _by_nearest_office(entry: Entry, ancestors: Sequence[UUID]) -> Entry:
    """Choose among the offices of an entry; `ancestors` of its organisation come root first, itself included."""
    covering = [office for office in entry.offices if office[1] in ancestors]
    if len(entry.offices) < 2 or not covering:
        return entry
    role, organisation_id = max(covering, key=lambda office: ancestors.index(office[1]))
    return replace(entry, actor_role=role, actor_organisation_id=organisation_id)


class Actor(NamedTuple):
    """Who acts, for whom, in which assisted session, and by which office; `offices` are all that allow it.

    A command takes one, for the `origin` of its event and for its `entry`. `remit` are the organisations on which the
    permission is held: without one, nothing lies within.
    """

    actor: UUID
    on_behalf_of: UUID | None = None
    assist_id: UUID | None = None
    actor_role: str | None = None
    actor_organisation_id: UUID | None = None
    offices: Offices = ()
    remit: Collection[UUID] = ()

    @property
    def person_id(self) -> UUID:
        """The person who acts, or for whom a helper acts."""
        return self.on_behalf_of or self.actor

    @property
    def origin(self) -> Origin:
        """Where an event comes from that they cause, in the trace of the present request."""
        return origin(actor=self.actor, on_behalf_of=self.on_behalf_of)

    def entry(
        self,
        action: str,
        *,
        subject: UUID | None = None,
        object_id: UUID | None = None,
        organisation_id: UUID | None = None,
        purpose: str | None = None,
        decision: Decision = "allowed",
        rule: str | None = None,
    ) -> Entry:
        """Make an entry of what they did; in an assisted session it concerns the person helped, unless it says whom."""
        return Entry(
            action=action,
            subject=subject if subject is not None else self.on_behalf_of,
            object_id=object_id,
            organisation_id=organisation_id,
            purpose=purpose,
            decision=decision,
            rule=rule,
            **{name: value for name, value in self._asdict().items() if name != "remit"},
        )


def by(principal: Principal, remit: Collection[UUID] = ()) -> Actor:
    """Tell by the access token who acts; `remit`, which a permission gave, tells by which office.

    Of several the first is named, whatever their order in the token, until an entry names its organisation.
    """
    held = {(grant.role, grant.organisation_id) for grant in principal.roles if grant.organisation_id in remit}
    if isinstance(remit, orgtree.Remit):  # others at the same organisation may not give the permission
        held &= set(remit.offices)
    offices = tuple(sorted(held))
    role, organisation_id = offices[0] if offices else (None, None)
    return Actor(
        actor=principal.actor or principal.person_id,
        on_behalf_of=principal.person_id if principal.actor is not None else None,
        assist_id=principal.assistance.assist_id if principal.assistance is not None else None,
        actor_role=role,
        actor_organisation_id=organisation_id,
        offices=offices,
        remit=remit,
    )


def refused(entry: Entry, rule: str) -> Entry:
    """Give the same entry as an attempt that `rule` refused."""
    return replace(entry, decision="refused", rule=rule)
