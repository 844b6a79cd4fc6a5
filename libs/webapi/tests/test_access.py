"""Every documented operation says what it demands, and asks for nothing else."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, Response

from webapi import Application, Caller, access, described
from webapi.access import AccessUndeclared


async def open_to_all() -> Response:
    """Answer without a token."""
    return Response()


async def for_callers(caller: Caller) -> Response:
    """Answer who has a token."""
    await caller.remit("orchard.tree.fell")
    return Response()


def router_with(endpoint: Callable[..., Any], extra: dict[str, Any] | None, *, shown: bool = True) -> APIRouter:
    router = APIRouter()
    said = described("新的", "New") if shown else {}
    router.add_api_route("/new", endpoint, openapi_extra=said | (extra or {}), include_in_schema=shown)
    return router


async def test_the_document_shows_what_an_operation_demands(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    assert paths["/v1/trees"]["post"]["x-access"] == ["orchard.tree.plant"]
    assert paths["/v1/trees"]["get"]["x-access"] == ["self"]
    assert paths["/v1/trees/{tree_id}"]["get"]["x-access"] == ["public"]


async def test_a_documented_route_that_declares_nothing_is_refused_at_composition(application: Application) -> None:
    with pytest.raises(AccessUndeclared, match=r"for_callers \(GET /new\) does not say what it demands"):
        application.add_routers([router_with(for_callers, None)])


async def test_a_page_that_is_in_no_document_declares_nothing(application: Application) -> None:
    application.add_routers([router_with(open_to_all, None, shown=False)])


@pytest.mark.parametrize(
    ("endpoint", "rule", "why"),
    [(for_callers, "public", "declared public and asks for a token"), (open_to_all, "self", "asks for no token")],
)
async def test_what_a_route_declares_fits_whether_it_asks_for_a_token(
    application: Application, endpoint: Callable[..., Any], rule: str, why: str
) -> None:
    with pytest.raises(AccessUndeclared, match=why):
        application.add_routers([router_with(endpoint, access(rule))])


async def test_a_client_proves_itself_by_other_means_than_a_token(application: Application) -> None:
    application.add_routers([router_with(open_to_all, access("client"))])


@pytest.mark.parametrize("rules", [(), ("everybody",), ("orchard.tree",), ("public", "self"), ("self", "self")])
def test_a_declaration_that_means_nothing_is_refused(rules: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="cannot demand"):
        access(*rules)


async def test_a_route_may_ask_for_no_permission_it_does_not_declare(
    application: Application, client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    application.add_routers([router_with(for_callers, access("self"))])
    assert (await client.get("/new", headers=headers)).status_code == 500
