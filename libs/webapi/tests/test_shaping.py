"""A document as it is published: answers may grow, requests are closed, everything is bounded, names are short."""

from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from webapi import Application, Page, access, described
from webapi.bodies import Body


class Row(BaseModel):
    """Something in both directions."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["a", "b"]


class Sent(Body):
    """A body."""

    rows: list[Row]
    title: str


class LeafOut(BaseModel):
    """An answer that says it is closed."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["fresh", "dry"]
    only: Literal["one"]
    title: str
    count: int
    leaf_id: UUID
    rows: list[Row]


async def leaves(colour: Annotated[UUID | None, Query(description="Which.")] = None) -> Page[LeafOut]:
    """List leaves."""
    raise NotImplementedError(colour)


async def send(body: Sent) -> LeafOut:
    """Send a body."""
    raise NotImplementedError(body)


@pytest.fixture
def document(application: Application) -> dict[str, Any]:
    router, said = APIRouter(), access("public") | described("叶", "Leaves", example={"rows": [], "title": "叶"})
    router.add_api_route("/leaves", leaves, openapi_extra=access("public") | described("叶", "Leaves"))
    router.add_api_route("/leaves", send, methods=["POST"], openapi_extra=said)
    application.add_routers([router])
    return application.openapi()


def test_answers_are_open_and_name_the_words_known_today(document: dict[str, Any]) -> None:
    leaf = document["components"]["schemas"]["LeafOut"]
    assert "additionalProperties" not in leaf
    kind, only = leaf["properties"]["kind"], leaf["properties"]["only"]
    assert (kind["x-values"], only["x-values"]) == (["fresh", "dry"], ["one"])
    assert not {"enum", "const"} & (kind.keys() | only.keys())


def test_what_is_sent_stays_closed_also_where_it_is_answered(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["Sent"]["additionalProperties"] is schemas["Row"]["additionalProperties"] is False
    assert schemas["Row"]["properties"]["kind"]["enum"] == ["a", "b"]


def test_everything_is_bounded(document: dict[str, Any]) -> None:
    fields = document["components"]["schemas"]["LeafOut"]["properties"]
    assert fields["leaf_id"]["maxLength"] == 36
    assert {"maxLength", "pattern"} <= fields["title"].keys()
    assert {"minimum", "maximum", "format"} <= fields["count"].keys()
    assert "maxItems" in fields["rows"]


def test_a_parameter_is_left_out_and_never_null(document: dict[str, Any]) -> None:
    [colour] = document["paths"]["/leaves"]["get"]["parameters"]
    assert (colour["schema"]["type"], colour["schema"]["format"]) == ("string", "uuid")
    assert not {"anyOf", "default"} & colour["schema"].keys()


def test_names_are_short_and_examples_are_left_alone(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert "LeafPage" in schemas
    assert [name for name in schemas if "Page_" in name] == []
    assert [name for name, schema in schemas.items() if isinstance(schema.get("title"), str)] == []
    sent = document["paths"]["/leaves"]["post"]["requestBody"]["content"]["application/json"]
    assert sent["example"] == {"rows": [], "title": "叶"}


def test_every_operation_says_what_the_door_may_answer(document: dict[str, Any]) -> None:
    responses = document["paths"]["/leaves"]["get"]["responses"]
    assert {"200", "400", "429", "500", "503", "504", "default"} <= responses.keys()
    for name in responses["200"]["headers"]:
        assert name in document["components"]["headers"]
