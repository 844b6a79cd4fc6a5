"""The merged document and its pages in front of services that are played by tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
from fastapi import APIRouter
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel, create_model

from database import Database
from gateway.documents.document import MergedDocument
from gateway.documents.pages import DocumentPages
from gateway.forwarding.limits import Limits
from gateway.forwarding.routing import Route, RoutingTable
from gateway.forwarding.upstream import Upstream
from webapi import Application, Caller, Problem, ServiceSettings, access, described

from ..forwarding.raw_service import RawService, answering

PUBLIC_URL = "https://xiangqiao.test"
ROUTES = RoutingTable([Route("/v1/courses", "learning"), Route("/v1/members", "members"), Route("/v1/home", None)])
SETTINGS = ServiceSettings(
    database_url="postgresql://nobody@127.0.0.1:1/none",
    nats_url="nats://127.0.0.1:1",
    issuer=PUBLIC_URL,
    jwks_url=f"{PUBLIC_URL}/jwks",
)


class PageOut(BaseModel):
    """A schema that two services define differently."""

    title: str


OtherPage = create_model("PageOut", __module__=__name__, count=(int, ...))


def service_document(service: str, path: str, model: type[BaseModel], **more: Any) -> dict[str, Any]:
    """Make a service's document as the services make theirs; `more` is declared of its route to read."""
    router = APIRouter()

    async def read(caller: Caller) -> BaseModel:
        raise NotImplementedError

    demand = access("self") | described("读", "Read")
    router.add_api_route(path, read, response_model=model, name="read", openapi_extra=demand | more)
    router.add_api_route(path, read, response_model=model, name="write", methods=["POST"], openapi_extra=demand)
    router.add_api_route("/internal", read, response_model=model, name="inner", openapi_extra=demand)
    problem = Problem(409, f"{service}_conflict", "x", "x")
    database = Database(SETTINGS.database_url, application_name=service)
    app = Application(
        service, title=service, settings=SETTINGS, database=database, routers=[router], problems={KeyError: problem}
    )
    return app.openapi()


def serving(content: bytes, status: int = 200) -> bytes:
    """Write an answer."""
    return b"HTTP/1.1 %d X\r\ncontent-length: %d\r\n\r\n" % (status, len(content)) + content


class System:
    """Two services, and the gateway's pages before an application that says "behind"."""

    def __init__(self, learning: RawService, members: RawService, database: Database) -> None:
        self.learning = learning
        self.members = members
        learning.behave = answering(serving(orjson.dumps(service_document("learning", "/v1/courses", PageOut))))
        members.behave = answering(serving(orjson.dumps(service_document("members", "/v1/members", OtherPage))))
        limits = Limits(sweep_seconds=0.02)
        self.upstreams = {
            "learning": Upstream("learning", learning.url, limits=limits),
            "members": Upstream("members", members.url, limits=limits),
        }
        self._own = service_document("gateway", "/v1/home", PageOut)
        self.start(database)

    def start(self, database: Database) -> None:
        """Be a gateway that begins."""
        self.merged = MergedDocument(
            self.upstreams, ROUTES, lambda: self._own, public_url=PUBLIC_URL, database=database
        )
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(DocumentPages(_behind, self.merged)), base_url=PUBLIC_URL
        )

    async def document(self) -> dict[str, Any]:
        """Get and validate the document."""
        answer = await self.client.get("/openapi.json")
        assert answer.status_code == 200
        document = answer.json()
        OpenAPIV31SpecValidator(document).validate()
        return dict(document)


async def _behind(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"behind"})


@asynccontextmanager
async def opened(database: Database) -> AsyncIterator[System]:
    async with RawService() as learning, RawService() as members:
        made = System(learning, members, database)
        yield made
        await made.client.aclose()
        for upstream in made.upstreams.values():
            upstream.close()
