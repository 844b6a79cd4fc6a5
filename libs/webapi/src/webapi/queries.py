"""A query parameter that an operation does not know is refused: left out, a filter written wrong would mean all."""

from collections.abc import Iterator

from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.datastructures import QueryParams
from starlette.types import Receive, Scope, Send

UNKNOWN = "query_unknown"


def refuse_unknown_parameters(route: APIRoute) -> None:
    """Answer 422 on this route to a query parameter that it does not declare, and name those that it does.

    Of the API alone, below `/v1`: what OAuth does not know, its endpoints must ignore (RFC 6749, section 3.1).
    """
    if not route.path_format.startswith("/v1/"):
        return
    known = sorted(set(_parameters(route.dependant)))
    listed = ", ".join(known) or "–"
    words = {"en": f"There is no such parameter here. There are: {listed}.", "zh": f"没有此参数。可用参数：{listed}。"}

    app = route.app

    async def refusing(scope: Scope, receive: Receive, send: Send) -> None:
        query = scope["query_string"]
        if query and (unknown := [name for name in QueryParams(query) if name not in known]):
            raise RequestValidationError([{"type": UNKNOWN, "loc": ("query", name), "ctx": words} for name in unknown])
        await app(scope, receive, send)

    route.app = refusing  # around it and not a dependency: FastAPI takes longer to solve one than for all else here


def _parameters(dependant: Dependant) -> Iterator[str]:
    for each in dependant.dependencies:
        yield from _parameters(each)
    yield from (parameter.alias for parameter in dependant.query_params)
