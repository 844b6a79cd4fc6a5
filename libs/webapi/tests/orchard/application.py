"""The application of the small service: trees that are planted, listed and broken in every way a service can break."""

import asyncio
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select, text
from sqlalchemy.orm import Mapped, mapped_column
from starlette.responses import StreamingResponse

from database import Database, Table, raw
from webapi import (
    Application,
    Caller,
    CannotStart,
    Check,
    Page,
    PageQuery,
    Problem,
    RefusedWithEffect,
    ServiceSettings,
    TaskWithArguments,
    access,
    assistable,
    described,
    json_answer,
    open_database,
)
from webapi.bodies import ShownOnce, Versioned
from webapi.serving import Task

router = APIRouter(prefix="/v1/trees", tags=["trees"])


SAID = described("果园", "The orchard")
PLANTING = described(
    "植树", "Plant a tree", example={"tree_id": "01930000-0000-7000-8000-000000000001", "kind": "oak", "height": 3}
)


class Settings(ServiceSettings):
    """The settings of the small service."""

    trouble: str | None = Field(None, description="what goes wrong at the start")


class PlantTree(BaseModel):
    """A tree to plant."""

    model_config = ConfigDict(extra="forbid")

    tree_id: UUID
    kind: Annotated[str, Field(min_length=1, max_length=20)]
    height: Annotated[int, Field(ge=0, le=100)] = 0


class Tree(Table):
    """A tree as it stands in the orchard."""

    __tablename__ = "tree"

    tree_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    planted_at: Mapped[datetime]


class TreeOut(Versioned):
    """A tree."""

    tree_id: UUID
    kind: str
    version: int = 1


class TreeFelled(Exception):
    """The tree is no more."""

    en = "It was felled in autumn."
    zh = "该树已于秋天砍伐。"

    def __init__(self, tree_id: UUID, feller: str) -> None:
        super().__init__(f"{tree_id} was felled by {feller}")
        self.tree_id = tree_id
        self.feller = feller


PROBLEMS: Mapping[type[Exception], Problem] = {
    TreeFelled: Problem(409, "tree_felled", "The tree is felled.", "树已砍伐。", members=("tree_id",))
}
_PLANT = "insert into tree (tree_id, kind, planted_at) values ($1, $2, $3)"


@router.post("/felled", status_code=201, response_model=TreeOut, openapi_extra=access("self") | PLANTING)
async def plant_and_fell(body: PlantTree, caller: Caller) -> Response:
    """Plant a tree and refuse it all the same."""
    async with caller.command() as command:
        await command.session.execute(
            text("insert into tree (tree_id, kind, planted_at) values (:tree_id, :kind, :now)"),
            {"tree_id": body.tree_id, "kind": body.kind, "now": command.now},
        )
        if body.height == 0:
            raise RefusedWithEffect(TreeFelled(body.tree_id, "nobody"))
        raise TreeFelled(body.tree_id, "nobody")


@router.post("", status_code=201, response_model=TreeOut, openapi_extra=access("orchard.tree.plant") | PLANTING)
async def plant(body: PlantTree, caller: Caller) -> Response:
    """Plant a tree."""
    await caller.remit("orchard.tree.plant")
    async with caller.command() as command:
        await (await raw(command.session)).execute(_PLANT, body.tree_id, body.kind, command.now)
        if body.kind == "slow":
            await asyncio.sleep(0.3)
        if body.kind == "sleeping":
            await (await raw(command.session)).execute("select pg_sleep(30)")
        tree = TreeOut(tree_id=body.tree_id, kind=body.kind)
        return await command.respond(201, tree, location=f"/v1/trees/{body.tree_id}")


@router.put("/hot", status_code=200, response_model=TreeOut, openapi_extra=access("self") | PLANTING)
async def plant_quickly(body: PlantTree, caller: Caller) -> Response:
    """Plant a tree on the hot path."""
    async with caller.command() as command:
        await (await raw(command.session)).execute(_PLANT, body.tree_id, body.kind, command.now)
        if body.kind == "failing":
            raise TreeFelled(body.tree_id, "nobody")
        return await command.respond(200, TreeOut(tree_id=body.tree_id, kind=body.kind))


class TreeWithKey(TreeOut, ShownOnce):
    """A tree, and the key to its fence."""

    key: str


@router.post("/fenced", status_code=201, response_model=TreeWithKey, openapi_extra=access("self") | PLANTING)
async def plant_behind_fence(body: PlantTree, caller: Caller) -> Response:
    """Plant a tree behind a fence, whose key is shown once."""
    async with caller.command() as command:
        await (await raw(command.session)).execute(_PLANT, body.tree_id, body.kind, command.now)
        return await command.respond(201, TreeWithKey(tree_id=body.tree_id, kind=body.kind, key="shown-once"))


@router.get("", response_model=Page[TreeOut], openapi_extra=access("self") | SAID)
async def list_(page: PageQuery, caller: Caller) -> Response:
    """List trees by the time they were planted."""
    async with caller.read() as session:
        shape = TreeOut.model_validate
        return json_answer(await page.select(session, select(Tree), Tree.planted_at, Tree.tree_id, shape=shape))


@router.put("/graft", status_code=204, openapi_extra=access("self") | SAID)
@assistable("orchard.graft")
async def graft(caller: Caller) -> Response:
    """Do what nobody does without having proved lately, by two factors, who they are."""
    caller.require_acr("2", timedelta(minutes=10))
    return Response(status_code=204)


@router.get("/growing", openapi_extra=access("public") | SAID)
async def grow() -> Response:
    """Begin an answer at once and take half a second for the rest."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"root"
        await asyncio.sleep(0.5)
        yield b"leaf"

    return StreamingResponse(pieces())


@router.get("/{tree_id}", response_model=TreeOut, openapi_extra=access("public") | SAID)
async def show(tree_id: UUID) -> Response:
    """Show a tree that was felled."""
    raise TreeFelled(tree_id, "Zhang San")


@router.delete("", openapi_extra=access("public") | SAID)
async def fell_all(request: Request, phone: str | None = None) -> Response:
    """Fail as the database does: with a person's data in the message."""
    del phone
    raise RuntimeError(f"duplicate key (phone)=(13812345678) {request.url}")


@router.post("/photographs", status_code=204, openapi_extra=access("public") | SAID)
async def photograph(request: Request) -> Response:
    """Take a body piece by piece."""
    size = 0
    async for piece in request.stream():
        size += len(piece)
    return Response(status_code=204, headers={"x-size": str(size), "cache-control": "max-age=60"})


class Gardener:
    """The worker of the small service: it counts its rounds in the database."""

    def __init__(self, database: Database, trouble: str | None) -> None:
        self._database = database
        self._trouble = trouble

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`, then finish the round."""
        while not stop.is_set():
            if self._trouble == "worker":
                raise RuntimeError("13812345678")
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.1)
        async with self._database.transaction() as session:
            await session.execute(text("insert into tree values (gen_random_uuid(), 'drained', now())"))

    def checks(self) -> Mapping[str, Check]:
        """Give no check of its own."""
        return {}


def create_application(settings: Settings) -> Application:
    """Compose the application."""
    database = open_database("orchard", settings)

    async def resolve(roles: Sequence[tuple[str, UUID]], permission: str, _: object = None) -> frozenset[UUID]:
        return frozenset(place for role, place in roles if permission.startswith(f"orchard.{role}."))

    @asynccontextmanager
    async def opening(_: Application) -> AsyncIterator[None]:
        if settings.trouble == "start":
            raise CannotStart("the soil is frozen; wait for spring.")
        yield

    return Application(
        "orchard",
        title="Orchard",
        settings=settings,
        database=database,
        routers=[router],
        problems=PROBLEMS,
        remit_resolver=resolve,
        hooks=[opening],
    )


@asynccontextmanager
async def open_worker(settings: Settings, database: Database) -> AsyncIterator[Gardener]:
    """Open the worker."""
    yield Gardener(database, settings.trouble)


async def harvest(settings: Settings, _: Database) -> str:
    """Bring in what is ripe."""
    if settings.trouble == "unripe":
        raise CannotStart("nothing is ripe; wait for autumn.")
    if settings.trouble:
        raise RuntimeError("13812345678")
    return "3 baskets"


class Counting:
    """Count the trees."""

    def declare(self, parser: ArgumentParser) -> None:
        """Take a kind."""
        parser.add_argument("--kind", required=True, help="the kind that is counted")

    async def __call__(self, _: object, database: Database, arguments: Namespace) -> str:
        """Count the trees of a kind."""
        async with database.read() as session:
            count = await (await raw(session)).fetchval("select count(*) from tree where kind = $1", arguments.kind)
        return f"{count} of {arguments.kind}"


TASKS: Mapping[str, Task[Settings] | TaskWithArguments] = {"harvest": harvest, "count": Counting()}
