"""The least that the same work could cost: a bare FastAPI route with a two-insert transaction on asyncpg."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID, uuid4

import asyncpg
import uvicorn
import uvloop
from fastapi import FastAPI
from pydantic import BaseModel, Field

TABLES = """
create table if not exists bare_thing (
    thing_id uuid primary key, organisation_id uuid, title text, made_at timestamptz
);
create table if not exists bare_outbox (id bigint generated always as identity primary key, payload bytea);
"""
PAYLOAD = b"x" * 600


class Thing(BaseModel):
    """About the body that an activity is scheduled with."""

    organisation_id: UUID
    title: Annotated[str, Field(max_length=200)]


@asynccontextmanager
async def _pool(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["BARE_DATABASE_URL"], min_size=10, max_size=10) as pool:
        await pool.execute(TABLES)
        app.state.pool = pool
        yield


app = FastAPI(lifespan=_pool)


@app.post("/things", status_code=201)
async def make(thing: Thing) -> Thing:
    """Insert two rows and answer with the body."""
    async with app.state.pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "insert into bare_thing values ($1, $2, $3, now())", uuid4(), thing.organisation_id, thing.title
        )
        await connection.execute("insert into bare_outbox (payload) values ($1)", PAYLOAD)
    return thing


@app.get("/v1/courses")
@app.get("/things")
async def fixed() -> Thing:
    """Answer with a small fixed body."""
    return Thing(organisation_id=UUID(int=1), title="x" * 100)


if __name__ == "__main__":
    server = uvicorn.Server(
        uvicorn.Config(app, port=int(os.environ["BARE_PORT"]), http="httptools", access_log=False, log_level="error")
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(server.serve())
