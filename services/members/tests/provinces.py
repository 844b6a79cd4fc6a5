"""People with roles who speak to the service over HTTP, and a quick way to organisations and members for tests."""

import itertools
from datetime import date
from typing import Any
from uuid import UUID

import httpx

import orgtree
from database import new_id
from testkit.tokens import TokenIssuer
from webapi import Application

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


class Person:
    """Somebody who is signed in with roles on organisations, and speaks to the service over HTTP."""

    def __init__(self, http: httpx.AsyncClient, person_id: UUID, headers: dict[str, str]) -> None:
        self._http = http
        self.person_id = person_id
        self.headers = headers

    async def get(self, path: str, **options: Any) -> httpx.Response:
        headers = {**self.headers, **options.pop("headers", {})}
        return await self._http.get(f"/v1{path}", headers=headers, **options)

    async def post(self, path: str, body: Any, **options: Any) -> httpx.Response:
        headers = {**self.headers, **options.pop("headers", {})}
        return await self._http.post(f"/v1{path}", json=body, headers=headers, **options)

    async def all(self, path: str, **parameters: Any) -> list[dict[str, Any]]:
        """Read a list to its end, in pages of 2."""
        items: list[dict[str, Any]] = []
        cursor: dict[str, Any] = {}
        while True:
            answer = await self.get(path, params={**parameters, **cursor, "limit": 2})
            assert answer.status_code == 200, answer.text
            page = answer.json()
            items += page["items"]
            if page["next_cursor"] is None:
                return items
            cursor = {"cursor": page["next_cursor"]}


class Province:
    """A quick way to people, organisations and members of a test."""

    def __init__(self, application: Application, issuer: TokenIssuer) -> None:
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://members.test")
        self.database = application.database
        self._issuer = issuer
        self.registrar = self.person(("registrar", orgtree.ROOT_ID))

    def person(self, *roles: tuple[str, UUID], person_id: UUID | None = None, **token: Any) -> Person:
        """Sign somebody in, staff by two factors unless `acr` is given."""
        person_id = person_id or new_id()
        strong = {"acr": "2" if roles else "1", **token}
        return Person(self.http, person_id, self._issuer.headers(person_id, roles, **strong))

    async def establish(
        self, parent_id: UUID = orgtree.ROOT_ID, *, kind: str = "committee", level: str = "county", **fields: Any
    ) -> UUID:
        """Establish an organisation and give its id."""
        row = {"parent_id": str(parent_id), "kind": kind, "level": level, "name": "中共某县委员会", **fields}
        answer = await self.registrar.post("/organisations", row)
        assert answer.status_code == 201, answer.text
        return UUID(answer.json()["organisation_id"])

    async def branch(self, parent_id: UUID | None = None) -> UUID:
        """Establish a branch, in a county of its own unless its parent is given."""
        parent_id = parent_id or await self.establish()
        return await self.establish(parent_id, kind="branch", level="branch", name="红旗村党支部")

    async def enrol(self, branch: UUID, **fields: Any) -> UUID:
        """Enrol a member and give the person's id."""
        answer = await self.registrar.post("/members", member_row(branch, **fields))
        assert answer.status_code == 201, answer.text
        return UUID(answer.json()["person_id"])


_sequence = itertools.count()


def id_number(born: date = date(1970, 5, 17)) -> str:
    """Make a valid identity number that no other test has."""
    number = next(_sequence)
    digits = f"{522701 + number // 1000}{born:%Y%m%d}{number % 1000:03d}"
    check = sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=True)) % 11
    return digits + "10X98765432"[check]


def member_row(branch: UUID, **fields: Any) -> dict[str, Any]:
    """Make the body that enrols a member."""
    return {
        "organisation_id": str(branch),
        "stage": "full",
        "name": "欧阳建国",
        "id_number": id_number(),
        "phone": "14212345678",
        **{field: str(value) if isinstance(value, UUID) else value for field, value in fields.items()},
    }
