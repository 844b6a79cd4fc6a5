"""No read is answered from a kept answer, no secret is kept in one, and an erased person leaves none (check 31)."""

import importlib
import re
from collections.abc import Awaitable, Callable, Iterator
from types import ModuleType
from typing import Any, get_args

import httpx
import pytest
from fastapi.routing import APIRoute
from pydantic import BaseModel

from contracts import SERVICES
from contracts.identity import PersonErasedV1
from database import Database, new_id, raw
from testkit.databases import Template, TestDatabases
from testkit.delivery import tell
from webapi.bodies import ShownOnce

TemplateOf = Callable[[str], Awaitable[Template]]
SECRET = re.compile(r"(.+_)?(secret|ticket|token|password|recovery_codes?|otpauth_uri|private_key)")
"""What a field is called that lets whoever reads it in."""


def routes_of(generate: ModuleType, service: str) -> list[APIRoute]:
    return [route for route in generate.application_of(service).routes if isinstance(route, APIRoute)]


@pytest.mark.parametrize("service", SERVICES)
async def test_no_read_takes_an_idempotency_key(generate: ModuleType, service: str) -> None:
    transport = httpx.ASGITransport(generate.application_of(service))
    reads = [route for route in routes_of(generate, service) if "GET" in (route.methods or ())]
    assert len(reads) > 5
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        for route in reads:
            path = re.sub(r"{\w+}", str(new_id()), route.path_format)
            answer = await client.get(path, headers={"idempotency-key": "k"})
            assert (answer.status_code, answer.json()["type"]) == (400, "/problems/not_for_reads"), path


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Give a response's model, and those of what it holds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from models_in(field.annotation)
    for part in get_args(annotation):
        yield from models_in(part)


def secrets_in(annotation: Any) -> set[str]:
    return {
        name
        for model in models_in(annotation)
        for name, field in model.model_fields.items()
        if SECRET.fullmatch(name) and field.annotation is not int
    }


def test_no_answer_that_shows_a_secret_is_kept(generate: ModuleType) -> None:
    shown = {
        f"{min(route.methods or ())} {route.path_format}": route.response_model
        for service in SERVICES
        for route in routes_of(generate, service)
        if secrets_in(route.response_model)
    }
    assert len(shown) > 4
    assert {operation: model for operation, model in shown.items() if not issubclass(model, ShownOnce)} == {}


@pytest.mark.parametrize("service", SERVICES)
async def test_an_erasure_takes_the_answers_that_are_kept_for_its_person(
    service: str, databases: TestDatabases, template_of: TemplateOf
) -> None:
    consumers = importlib.import_module(f"{service}.worker").CONSUMERS
    [handlers] = [each.handlers for each in consumers if PersonErasedV1 in each.handlers]
    erased, other = new_id(), new_id()
    async with databases.database(await template_of(service)) as url:
        database = Database(url, application_name="test")
        async with database.transaction() as session:
            for person in (erased, other):
                await (await raw(session)).execute(
                    "insert into idempotency_key values ($1, 'portal', '\\x00', 'POST /v1/cases', '\\x00', 201)", person
                )
        await tell(database, handlers, PersonErasedV1(person_id=erased))
        async with database.read() as session:
            kept = await (await raw(session)).fetch("select person_id from idempotency_key")
        assert [row["person_id"] for row in kept] == [other]
        await database.close()
