"""A planned route answers what FastAPI would: the same to good requests, and the same is wrong with others."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Cookie, Depends, FastAPI, Header, Path, Query, Request
from fastapi.routing import APIRoute
from starlette.responses import JSONResponse, Response

from webapi.pages import IdsQuery, PageQuery
from webapi.planning import plan

router = APIRouter()
asked: list[str] = []


async def _counted(request: Request, colour: Annotated[str, Query(max_length=5)] = "green") -> str:
    asked.append(request.url.path)
    return colour


Counted = Annotated[str, Depends(_counted)]


async def _twice(counted: Counted, shade: Annotated[int | None, Header(ge=1)] = None) -> tuple[str, int | None]:
    return counted, shade


@router.get("/trees/{number}")
async def trees(
    *,
    number: Annotated[int, Path(ge=1)],
    page: PageQuery,
    counted: Counted,
    twice: Annotated[tuple[str, int | None], Depends(_twice)],
    tree_id: IdsQuery = None,
    least: Annotated[int, Query()],
    kinds: Annotated[list[str], Query(alias="kind")] = ["oak"],  # noqa: B006 - a default that may change
    ring: Annotated[str, Cookie()] = "none",
) -> Response:
    """Tell all that came."""
    told = [number, page.limit, page.cursor, counted, *twice, tree_id, least, kinds, ring]
    return JSONResponse([str(each) for each in told])


@router.get("/things")
async def things(counted: Counted) -> dict[str, Any]:
    """Answer what only FastAPI can write."""
    return {"colour": counted}


@router.post("/trees")
async def plant(kind: dict[str, str]) -> Response:
    """Read a body."""
    return JSONResponse(kind)


ID = "0190f5a0-0000-7000-8000-000000000001"
REQUESTS = [
    "/trees/1?least=2",
    f"/trees/1?least=2&limit=3&cursor=on&tree_id={ID}&tree_id={ID}&kind=a&kind=b&colour=red",
    "/trees/1?least=2&limit=3&limit=4&colour=",
    "/trees/0?limit=0&cursor=&colour=yellow&tree_id=x&kind=",
    "/trees/one",
    "/things?colour=red",
    "/things?colour=yellow",
]


def served(*, planned: bool) -> httpx.AsyncClient:
    application = FastAPI()
    for route in router.routes:
        assert isinstance(route, APIRoute)
        made = APIRoute(route.path, route.endpoint, methods=route.methods, response_model=None)
        before = made.app
        if planned:
            plan(made)
            assert (made.app is not before) == (route.endpoint is trees)
        application.router.routes.append(made)
    return httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://orchard.test")


@pytest.mark.parametrize("headers", [{}, {"shade": "3", "cookie": "ring=seven"}, {"shade": "0"}])
@pytest.mark.parametrize("target", REQUESTS)
async def test_a_planned_route_answers_as_fastapi_does(target: str, headers: dict[str, str]) -> None:
    answers = []
    for planned in (False, True):
        asked.clear()
        async with served(planned=planned) as client:
            answer = await client.get(target, headers=headers)
        answers.append((answer.status_code, answer.json(), answer.headers, list(asked)))
    assert answers[0] == answers[1]


async def test_a_body_is_read_by_fastapi() -> None:
    async with served(planned=True) as client:
        assert (await client.post("/trees", json={"kind": "oak"})).json() == {"kind": "oak"}
        assert (await client.post("/trees", json=[])).status_code == 422


async def test_a_route_of_a_class_of_its_own_keeps_what_that_does_around_it() -> None:
    class Heeding(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            answer = super().get_route_handler()

            async def heeding(request: Request) -> Response:
                try:
                    return await answer(request)
                except LookupError:
                    return Response(status_code=404)

            return heeding

    async def nothing() -> Response:
        raise LookupError

    pages = FastAPI()
    pages.router.add_api_route("/nothing", nothing, route_class_override=Heeding)
    route = next(each for each in pages.routes if isinstance(each, Heeding))
    plan(route)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(pages), base_url="http://test") as client:
        assert (await client.get("/nothing")).status_code == 404
