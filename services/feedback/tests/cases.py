"""A responsibility table to begin with, and quick ways to open and to follow a case."""

from typing import Any
from uuid import UUID

import httpx

from orgtree import ROOT_ID
from testkit.county import BRANCH, COUNTY, Person

WORDS = "村口的路灯坏了三天,老人晚上不敢出门。"


def duty(organisation_id: UUID, responsible_id: UUID, **fields: Any) -> dict[str, Any]:
    """Make the body that assigns a responsibility."""
    return {
        "category": "road",
        "organisation_id": str(organisation_id),
        "responsible_id": str(responsible_id),
        "working_days": 10,
        "valid_from": "2026-01-01",
        **fields,
    }


async def assign(registrar: Person, organisation_id: UUID, responsible_id: UUID, **fields: Any) -> Any:
    """Assign a responsibility and give it as answered."""
    answer = await registrar.post("/responsibilities", duty(organisation_id, responsible_id, **fields))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def assign_roads(registrar: Person) -> None:
    """Make the province answer for roads, and for the county the county."""
    await assign(registrar, ROOT_ID, ROOT_ID, working_days=15)
    await assign(registrar, COUNTY, COUNTY)


def words(organisation_id: UUID = BRANCH, **fields: Any) -> dict[str, Any]:
    """Make the body that opens a case."""
    return {"category": "road", "organisation_id": str(organisation_id), "text": WORDS, **fields}


async def opened(reporter: Person, organisation_id: UUID = BRANCH, **fields: Any) -> Any:
    """Open a case and give it as answered."""
    answer = await reporter.post("/cases", words(organisation_id, **fields))
    assert answer.status_code == 201, answer.text
    return answer.json()


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Give the status and the code of a problem."""
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")
