"""Every documented operation has its words in both languages, and an example of the body that it takes."""

from typing import Any

import pytest
from fastapi import APIRouter, Response
from libs.webapi.tests.orchard.application import PlantTree

from webapi import Application, access, described
from webapi.describing import Undescribed


async def plain() -> Response:
    """Do nothing."""
    return Response()


async def with_body(body: PlantTree) -> Response:
    """Do nothing with a tree."""
    return Response(body.kind)


def routed(endpoint: Any, extra: dict[str, Any], *, shown: bool = True) -> APIRouter:
    router = APIRouter()
    router.add_api_route("/new", endpoint, methods=["POST"], openapi_extra=extra, include_in_schema=shown)
    return router


async def test_a_route_without_words_or_without_an_example_of_its_body_is_refused(application: Application) -> None:
    for endpoint, extra in ((plain, {}), (with_body, described("新的", "New"))):
        with pytest.raises(Undescribed, match=r"\(/new\) is not described"):
            application.add_routers([routed(endpoint, access("public") | extra)])


async def test_a_page_that_is_in_no_document_needs_no_words(application: Application) -> None:
    application.add_routers([routed(plain, {}, shown=False)])


async def test_the_document_shows_words_and_example(application: Application) -> None:
    said = described("新的", "New", example={"tree_id": "x"})
    application.add_routers([routed(with_body, access("public") | said)])
    operation = application.openapi()["paths"]["/new"]["post"]
    assert (operation["summary"], operation["description"]) == ("新的 — New", "Do nothing with a tree.")
    content = operation["requestBody"]["content"]["application/json"]
    assert content["example"] == {"tree_id": "x"}
    assert content["schema"]["$ref"].endswith("/PlantTree")


@pytest.mark.parametrize(("zh", "en"), [("New", "New"), ("新的", "新的"), ("", "New")])
def test_words_of_the_other_language_are_refused(zh: str, en: str) -> None:
    with pytest.raises(ValueError, match="not Chinese and English"):
        described(zh, en)
