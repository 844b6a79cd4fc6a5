"""A small tree with roles on it, and people who are signed in and speak to the service over HTTP."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy.ext.asyncio import AsyncSession

import orgtree
from contracts.identity import RoleDefinedV1
from contracts.members import MemberAffiliatedV1, OrganisationEstablishedV1
from database import Database, migrations, new_id
from messaging import Publication
from orgtree import ROOT_ID
from testkit.tokens import TokenIssuer
from webapi import Application

COUNTY, TOWNSHIP, BRANCH, SECOND_BRANCH, OTHER_COUNTY, OTHER_BRANCH = (
    UUID(int=ROOT_ID.int + number) for number in range(1, 7)
)
TREE = (
    (COUNTY, ROOT_ID, "committee", "county"),
    (TOWNSHIP, COUNTY, "committee", "township"),
    (BRANCH, TOWNSHIP, "branch", "branch"),
    (SECOND_BRANCH, TOWNSHIP, "branch", "branch"),
    (OTHER_COUNTY, ROOT_ID, "committee", "county"),
    (OTHER_BRANCH, OTHER_COUNTY, "branch", "branch"),
)


async def plant(session: AsyncSession, roles: Mapping[str, tuple[str, ...]]) -> None:
    """Take over the tree and the roles, as the handlers of their events do."""
    defined = [RoleDefinedV1(role_id=new_id(), role=role, permissions=may) for role, may in roles.items()]
    await orgtree.HANDLERS[RoleDefinedV1](session, [Publication(event, 1) for event in defined])
    established = [
        OrganisationEstablishedV1(organisation_id=place, parent_id=parent, kind=kind, level=level, name="组织")
        for place, parent, kind, level in TREE
    ]
    await orgtree.HANDLERS[OrganisationEstablishedV1](session, [Publication(event, 1) for event in established])


async def prepare(url: str, folder: Path, roles: Mapping[str, tuple[str, ...]]) -> None:
    """Migrate a database with the migrations of `folder`, and plant the tree and the roles in it."""
    await migrations.upgrade(url, folder)
    database = Database(url, application_name="template")
    async with database.transaction() as session:
        await plant(session, roles)
    await database.close()


class Person:
    """Somebody who is signed in with roles on organisations, and speaks to the service over HTTP."""

    def __init__(self, http: httpx.AsyncClient, person_id: UUID, headers: dict[str, str]) -> None:
        self._http = http
        self.person_id = person_id
        self.headers = headers

    async def get(self, path: str, **parameters: Any) -> httpx.Response:
        """Read what stands at a path below `/v1`."""
        return await self._http.get(f"/v1{path}", headers=self.headers, params=parameters)

    async def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """Send a body, with headers named as in Python: `idempotency_key="…"`."""
        return await self.send("POST", path, body, **headers)

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """Send a body by any method."""
        named = {"content-type": "application/json", **self.headers}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        content = None if body is None else json.dumps(body)
        return await self._http.request(method, f"/v1{path}", content=content, headers=named)

    async def all(self, path: str, **parameters: Any) -> list[dict[str, Any]]:
        """Read a list to its end, in pages of 2."""
        items: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            answer = await self.get(path, **parameters, **cursor, limit=2)
            answer.raise_for_status()
            page = answer.json()
            items += page["items"]
            if page["next_cursor"] is None:
                return items
            cursor = {"cursor": page["next_cursor"]}


class County:
    """A quick way to people of a test."""

    def __init__(self, application: Application, issuer: TokenIssuer) -> None:
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://service.test")
        self.database = application.database
        self._issuer = issuer

    def person(self, *roles: tuple[str, UUID], person_id: UUID | None = None, **token: Any) -> Person:
        """Sign somebody in who belongs nowhere."""
        person_id = person_id or new_id()
        return Person(self.http, person_id, self._issuer.headers(person_id, roles, **token))

    async def member(self, branch: UUID, *roles: tuple[str, UUID], **token: Any) -> Person:
        """Sign in a member of a branch."""
        member = self.person(*roles, **token)
        await self.affiliate(branch, member.person_id)
        return member

    async def affiliate(self, branch: UUID, *people: UUID, version: int = 1) -> None:
        """Make people members of a branch, as the events of members would."""
        events = [MemberAffiliatedV1(person_id=person, organisation_id=branch) for person in people]
        async with self.database.transaction() as session:
            await orgtree.HANDLERS[MemberAffiliatedV1](session, [Publication(event, version) for event in events])
