"""Of all operations of all services, a helper's token opens those that say so and no other."""

import importlib
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from database import raw
from identity.assistance.rules import ACTIONS
from standalone.services import NAMES
from testkit.databases import TestDatabases
from testkit.tokens import TokenIssuer
from tests.flows.settings import settings_of
from webapi import Application

METHODS = ("get", "post", "put", "patch", "delete")
NOWHERE = "postgresql://nobody:nothing@127.0.0.1:1/none"


async def _nothing(_: str) -> None:
    """Leave a database with its audit alone: what gets further than the door fails, which is past the door."""


def application_of(service: str, issuer: TokenIssuer, database_url: str = NOWHERE) -> Application:
    settings = settings_of(service, database_url, "nats://127.0.0.1:1", issuer)
    made: Application = importlib.import_module(f"{service}.app").SERVICE.application(
        settings.model_copy(update={"issuer": issuer.issuer})
    )
    return made


def operations_of(application: Application) -> list[tuple[str, str, dict[str, Any]]]:
    """Give (method, path, operation) of all that ask for a token."""
    return [
        (method, path, operation)
        for path, item in application.openapi()["paths"].items()
        for method, operation in item.items()
        if method in METHODS and "security" in operation
    ]


@pytest.mark.parametrize("service", NAMES)
async def test_a_helpers_token_opens_exactly_what_says_so(
    service: str, issuer: TokenIssuer, databases: TestDatabases
) -> None:
    database_url = await databases.create(await databases.template(service, _nothing, sources=[Path(__file__)]))
    application = application_of(service, issuer, database_url)
    every = sorted(ACTIONS)
    transport = httpx.ASGITransport(application, raise_app_exceptions=False)
    refused: set[tuple[str, str]] = set()
    open_to_helpers: set[tuple[str, str]] = set()
    declared: set[tuple[str, str]] = set()
    async with httpx.AsyncClient(transport=transport, base_url="http://service.test") as client:
        for method, path, operation in operations_of(application):
            action = operation.get("x-assistable")
            concrete = "/".join(str(uuid4()) if part.startswith("{") else part for part in path.split("/"))
            for actions in (every, [each for each in every if each != action]):
                headers = issuer.headers(uuid4(), actor=uuid4(), actions=actions)
                answer = await client.request(method.upper(), concrete, headers=headers)
                is_refused = answer.headers["content-type"] == "application/problem+json" and (
                    answer.json()["type"] == "/problems/not_assistable"
                )
                assert answer.status_code != 401, (method, path)
                assert is_refused or (action in actions), (method, path)
                (refused if is_refused else open_to_helpers).add((method, path))
            if action is not None:
                declared.add((method, path))
    assert open_to_helpers == declared
    assert len(refused) == len(operations_of(application))  # a declared one too, without its own action
    await every_call_is_recorded(application, 2 * len(refused))
    await application.database.close()
    await application.authenticator.close()
    await databases.drop(database_url)


async def every_call_is_recorded(application: Application, calls: int) -> None:
    """Check that each call stands in the audit with the helper, the person helped, and the session."""
    async with application.database.read() as session:
        rows = await (await raw(session)).fetch(
            "select count(*), decision from audit.entry where action like $1 and actor <> on_behalf_of "
            "and subject = on_behalf_of and assist_id is not null group by decision",
            f"{application.service}.assisted.%",
        )
    counted = {row["decision"]: row["count"] for row in rows}
    assert sum(counted.values()) == calls
    assert counted["refused"] >= calls / 2


def test_every_action_opens_something_and_nothing_else_does(issuer: TokenIssuer) -> None:
    named = {
        operation["x-assistable"]
        for service in NAMES
        for _, _, operation in operations_of(application_of(service, issuer))
        if "x-assistable" in operation
    }
    assert named == ACTIONS.keys()
