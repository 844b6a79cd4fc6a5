"""Defining roles, granting them and ending them; each change is told to every service."""

import tomllib
from collections.abc import Callable, Collection
from datetime import date, datetime
from importlib import resources
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

import orgtree
from contracts import Code
from contracts.identity import RoleDefinedV1, RoleEndedV1, RoleGrantedV1
from identity.accounts.tables import Account
from identity.roles.queries import count_of_not_over
from identity.roles.rules import MOST_ROLES_HELD, RoleForOneself, TooManyRoles, day_of, require_days_in_order
from identity.roles.tables import RoleAssignment, RoleDefinition
from messaging import Publication, append


class RoleUnknown(Exception):
    """There is no role of that name."""


class AccountUnknown(Exception):
    """The person has no account that could hold a role."""


class AssignmentUnknown(Exception):
    """There is no such role assignment, or none that the caller may see."""


class AssignmentExists(Exception):
    """The id brought for a role assignment is taken."""


class RoleToDefine(BaseModel):
    """A role as the data file states it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title_zh: Annotated[str, Field(min_length=1, max_length=50)]
    title_en: Annotated[str, Field(min_length=1, max_length=50)]
    permissions: Annotated[list[Code], Field(max_length=200)]


def roles_to_define() -> dict[str, RoleToDefine]:
    """Read the roles the system begins with; raises `pydantic.ValidationError` for a file that is not of that form."""
    text = (resources.files("identity.roles") / "roles.toml").read_text("utf-8")
    return TypeAdapter(dict[Code, RoleToDefine]).validate_python(tomllib.loads(text))


async def define_roles(
    session: AsyncSession, wanted: dict[str, RoleToDefine], *, new_id: Callable[[], UUID], now: datetime
) -> list[str]:
    """Make each role stand for exactly the permissions wanted; gives the names of those that changed.

    A role that is not mentioned stays as it is: assignments may still name it.
    """
    present = {row.role: row for row in await session.scalars(select(RoleDefinition).with_for_update())}
    changed = []
    for role, definition in wanted.items():
        row = present.get(role)
        permissions = sorted(set(definition.permissions))
        if row is None:
            row = RoleDefinition(role_id=new_id(), role=role, permissions=[], version=0)
            session.add(row)
        row.title_zh, row.title_en = definition.title_zh, definition.title_en
        if row.version and sorted(row.permissions) == permissions:
            continue
        row.permissions, row.version, row.defined_at = permissions, row.version + 1, now
        event = RoleDefinedV1(role_id=row.role_id, role=role, permissions=tuple(permissions))
        changed.append((role, Publication(event, version=row.version)))
    await session.flush()
    await append(session, [publication for _, publication in changed])
    return [role for role, _ in changed]


async def grant_role(
    session: AsyncSession,
    *,
    assignment_id: UUID,
    person_id: UUID,
    role: str,
    organisation_id: UUID,
    valid_from: date | None,
    valid_until: date | None,
    granter: UUID | None,
    scopes: Collection[UUID] | None,
    now: datetime,
) -> RoleAssignment:
    """Give a person a role on an organisation and all below it.

    `scopes` are the organisations within which the granter may grant; None is the first start, which has no granter.
    Raises `orgtree.OutsideScope`, `RoleForOneself`, `RoleUnknown`, `AccountUnknown`, `AssignmentExists`,
    `DaysOutOfOrder` and `TooManyRoles`.
    """
    if scopes is not None:
        await orgtree.require_within(session, organisation_id, scopes)
    if granter == person_id:
        raise RoleForOneself
    if await session.scalar(select(RoleDefinition.role).where(RoleDefinition.role == role)) is None:
        raise RoleUnknown
    first_day = valid_from or day_of(now)
    require_days_in_order(first_day, valid_until, today=day_of(now))
    await _count_change(session, person_id)
    if (await session.scalar(count_of_not_over(person_id, day_of(now))) or 0) >= MOST_ROLES_HELD:
        raise TooManyRoles
    assignment: RoleAssignment | None = await session.scalar(
        insert(RoleAssignment)
        .values(
            assignment_id=assignment_id,
            person_id=person_id,
            role=role,
            organisation_id=organisation_id,
            valid_from=first_day,
            valid_until=valid_until,
            granted_by=granter,
            granted_at=now,
        )
        .on_conflict_do_nothing()
        .returning(RoleAssignment)
    )
    if assignment is None:
        raise AssignmentExists
    await append(session, [Publication(RoleGrantedV1(**_state(assignment)), version=assignment.version)], actor=granter)
    return assignment


async def end_role(
    session: AsyncSession, *, assignment_id: UUID, ender: UUID, scopes: Collection[UUID], now: datetime
) -> RoleAssignment:
    """End a role assignment from this moment on; ending it again changes nothing.

    Raises `AssignmentUnknown` for one that does not exist or lies outside `scopes`.
    """
    visible = orgtree.within(RoleAssignment.organisation_id, scopes)
    found = select(RoleAssignment).where(RoleAssignment.assignment_id == assignment_id, visible).with_for_update()
    assignment = await session.scalar(found)
    if assignment is None:
        raise AssignmentUnknown
    if assignment.ended_at is not None:
        return assignment
    assignment.ended_at, assignment.ended_by, assignment.version = now, ender, assignment.version + 1
    await _count_change(session, assignment.person_id)
    await session.flush()
    last_day = day_of(now) if assignment.valid_until is None else min(assignment.valid_until, day_of(now))
    event = RoleEndedV1(**{**_state(assignment), "valid_until": last_day})
    await append(session, [Publication(event, version=assignment.version)], actor=ender)
    return assignment


def _state(assignment: RoleAssignment) -> dict[str, object]:
    return {name: getattr(assignment, name) for name in RoleGrantedV1.model_fields}


async def _count_change(session: AsyncSession, person_id: UUID) -> None:
    """Count a change of what the account may do. Raises `AccountUnknown`."""
    counted = await session.scalar(
        update(Account)
        .where(Account.account_id == person_id)
        .values(authorization_version=Account.authorization_version + 1)
        .returning(Account.account_id)
    )
    if counted is None:
        raise AccountUnknown
