"""GET has no effect, HEAD is GET without its body, and a parameter nobody declared is refused: over all operations."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from contracts import SERVICES
from webapi import Application

NOBODY = "00000000-0000-7000-8000-000000000000"
EFFECTS = frozenset({"command", "transaction"})
"""Methods that open what may write; `recorded_read` and `apart` of a read keep that it was asked for."""
METHODS_OF_COMMANDS = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def routes_of(application: Application, *, api: bool) -> list[APIRoute]:
    """List the documented operations: all, or those of the API alone, without OAuth's own."""
    documented = [route for route in application.routes if isinstance(route, APIRoute) and route.include_in_schema]
    return [route for route in documented if not api or route.path_format.startswith("/v1/")]


def path_of(route: APIRoute) -> str:
    return "/".join(NOBODY if part.startswith("{") else part for part in route.path_format.split("/"))


def client_of(application: Application) -> httpx.AsyncClient:
    """Give a client without a token: of what it asks nothing reaches the database, which is nowhere."""
    transport = httpx.ASGITransport(application, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://service.test")


def called_by(function: FunctionType, seen: set[FunctionType]) -> Iterator[tuple[FunctionType, ast.Call]]:
    """Give the calls in a function and in those that it calls by name, of its own service."""
    seen.add(function)
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))):
        if isinstance(node, ast.Call):
            yield function, node
            named = node.func.id if isinstance(node.func, ast.Name) else None
            called = function.__globals__.get(named or "")
            if isinstance(called, FunctionType) and called not in seen and called.__module__.split(".")[0] in SERVICES:
                yield from called_by(called, seen)


def effects_of(endpoint: Callable[..., Any]) -> list[str]:
    """Name what a route's function does that may change something."""
    assert isinstance(endpoint, FunctionType)
    found = []
    for function, call in called_by(endpoint, set()):
        opens = isinstance(call.func, ast.Attribute) and call.func.attr in EFFECTS
        asked = [each.value.value for each in call.keywords if isinstance(each.value, ast.Constant)]
        methods = {value.decode() if isinstance(value, bytes) else value for value in asked if value is not None}
        if opens or methods & METHODS_OF_COMMANDS:
            found.append(f"{function.__name__}: {ast.unparse(call)[:80]}")
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_read_is_not_changed(generate: ModuleType, service: str) -> None:
    reading = [
        route for route in routes_of(generate.application_of(service), api=False) if "GET" in (route.methods or ())
    ]
    assert reading
    assert {route.name: found for route in reading if (found := effects_of(route.endpoint))} == {}


def test_an_effect_of_a_read_would_be_found(generate: ModuleType) -> None:
    routes = routes_of(generate.application_of("activities"), api=True)
    assert [route.name for route in routes if route.name == "schedule_activity" and effects_of(route.endpoint)]


@pytest.mark.parametrize("service", SERVICES)
async def test_whatever_takes_get_takes_head_and_says_so(generate: ModuleType, service: str) -> None:
    application, wrong = generate.application_of(service), {}
    async with client_of(application) as client:
        for route in routes_of(application, api=False):
            path, reads = path_of(route), "GET" in (route.methods or ())
            got, headed = await client.get(path), await client.head(path)
            if (headed.status_code, headed.content) != (got.status_code, b""):
                wrong[route.name] = f"GET {got.status_code}, HEAD {headed.status_code}"
            refused = await client.options(path)
            if reads and "HEAD" not in refused.headers["allow"]:
                wrong[route.name] = refused.headers["allow"]
    assert wrong == {}


@pytest.mark.parametrize("service", SERVICES)
async def test_a_parameter_that_does_not_exist_is_refused_with_the_known_ones(
    generate: ModuleType, service: str
) -> None:
    application, wrong = generate.application_of(service), {}
    async with client_of(application) as client:
        for route in routes_of(application, api=True):
            for method in route.methods or ():
                answer = await client.request(method, path_of(route), params={"organisation": NOBODY})
                document = application.openapi()["paths"][route.path_format][method.lower()]
                known = sorted(each["name"] for each in document.get("parameters", []) if each["in"] == "query")
                faults = answer.json().get("errors", [{}])
                message = f"没有此参数。可用参数：{', '.join(known) or '–'}。"
                told = (answer.status_code, faults[0].get("pointer"), faults[0].get("message"))
                if told != (422, "/query/organisation", message):
                    wrong[route.name] = str(told)
    assert wrong == {}
