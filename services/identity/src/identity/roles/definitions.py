"""Defining roles: what the data file says, and telling every service what a role now permits."""

import tomllib
from collections.abc import Callable
from datetime import datetime
from importlib import resources
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

import audit
from contracts import Code
from contracts.identity import RoleDefinedV1
from identity.roles.tables import RoleDefinition
from messaging import Publication, append
from webapi import rule_broken


class RoleToDefine(BaseModel):
    """A role as the data file states it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title_zh: Annotated[str, Field(min_length=1, max_length=50)]
    title_en: Annotated[str, Field(min_length=1, max_length=50)]
    permissions: Annotated[list[Code], Field(max_length=200)]
    granted_by: Annotated[list[Code], Field(max_length=20)]
    privileged: bool = False
    delegable: bool = False

    @model_validator(mode="after")
    def _takes_two_people_every_time(self) -> "RoleToDefine":
        if self.privileged and self.delegable:
            raise rule_broken(
                "privileged_and_delegable", en="A privileged role is not handed on.", zh="特权角色不可转授。"
            )
        return self


def roles_to_define() -> dict[str, RoleToDefine]:
    """Read the roles the system begins with; raises `pydantic.ValidationError` for a file that is not of that form."""
    text = (resources.files("identity.roles") / "roles.toml").read_text("utf-8")
    return TypeAdapter(dict[Code, RoleToDefine]).validate_python(tomllib.loads(text))


async def define_roles(
    session: AsyncSession, wanted: dict[str, RoleToDefine], *, new_id: Callable[[], UUID], now: datetime
) -> list[str]:
    """Make each role stand for exactly the permissions wanted; gives the names of those that changed.

    What changed of a role, who grants it too, stands in the audit. A role that is not mentioned stays as it is:
    assignments may still name it.
    """
    present = {row.role: row for row in await session.scalars(select(RoleDefinition).with_for_update())}
    changed = []
    for role, definition in wanted.items():
        row = present.get(role)
        permissions = sorted(set(definition.permissions))
        if row is None:
            row = RoleDefinition(role_id=new_id(), role=role, permissions=[], version=0)
            session.add(row)
        before = (row.permissions, row.granted_by, row.privileged, row.delegable)
        row.title_zh, row.title_en = definition.title_zh, definition.title_en
        row.privileged, row.delegable = definition.privileged, definition.delegable
        row.granted_by = sorted(set(definition.granted_by))
        if before != (permissions, row.granted_by, row.privileged, row.delegable):
            entry = audit.Entry(action="identity.role.defined", object_id=row.role_id, purpose=role)
            await audit.record(session, entry, now=now)
        if row.version and sorted(row.permissions) == permissions:
            continue
        row.permissions, row.version, row.defined_at = permissions, row.version + 1, now
        event = RoleDefinedV1(role_id=row.role_id, role=role, permissions=tuple(permissions))
        changed.append((role, Publication(event, version=row.version)))
    await session.flush()
    await append(session, [publication for _, publication in changed])
    return [role for role, _ in changed]
