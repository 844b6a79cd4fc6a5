"""Roles are the set of permissions of their newest definition, and give them on the organisations they are held on."""

import asyncio
from uuid import UUID

import pytest

from contracts.identity import RoleDefinedV1
from database import Database
from orgtree import HANDLERS, Permissions

from .trees import Arrived, number

READ, WRITE = "files.file.read", "files.file.write"


async def define(database: Database, *definitions: tuple[str, tuple[str, ...], int]) -> None:
    """Define (role, permissions, version)."""
    batch = [
        Arrived(RoleDefinedV1(role_id=UUID(int=hash(role) % 1000), role=role, permissions=permissions), version)
        for role, permissions, version in definitions
    ]
    async with database.transaction() as session:
        await HANDLERS[RoleDefinedV1](session, batch)


async def remit_now(database: Database, held: list[tuple[str, UUID]], permission: str) -> frozenset[UUID]:
    return await Permissions(database).remit(held, permission)


async def test_a_permission_holds_where_a_role_that_gives_it_is_held(database: Database) -> None:
    await define(database, ("reader", (READ,), 1), ("writer", (READ, WRITE), 1))
    held = [("reader", number(1)), ("writer", number(2)), ("stranger", number(3))]
    assert await remit_now(database, held, READ) == {number(1), number(2)}
    assert await remit_now(database, held, WRITE) == {number(2)}
    assert await remit_now(database, held, "files.file.burn") == frozenset()
    assert await remit_now(database, [], READ) == frozenset()


async def test_a_newer_definition_replaces_the_whole_set(database: Database) -> None:
    await define(database, ("officer", (READ,), 1))
    await define(database, ("officer", (WRITE,), 2))
    held = [("officer", number(1))]
    assert await remit_now(database, held, READ) == frozenset()
    assert await remit_now(database, held, WRITE) == {number(1)}


async def test_an_older_or_repeated_definition_changes_nothing(database: Database) -> None:
    await define(database, ("officer", (WRITE, WRITE), 2), ("officer", (READ,), 1))
    await define(database, ("officer", (READ,), 1))
    await define(database, ("officer", (READ,), 2))
    assert await remit_now(database, [("officer", number(1))], READ) == frozenset()


async def test_a_role_without_permissions_gives_nothing(database: Database) -> None:
    await define(database, ("officer", (READ,), 1))
    await define(database, ("officer", (), 2))
    assert await remit_now(database, [("officer", number(1))], READ) == frozenset()


async def test_two_transactions_that_define_one_role_leave_the_newer_set(database: Database) -> None:
    async with database.transaction() as session:
        await HANDLERS[RoleDefinedV1](
            session, [Arrived(RoleDefinedV1(role_id=number(1), role="officer", permissions=(READ,)), 1)]
        )
        other = asyncio.create_task(define(database, ("officer", (WRITE,), 2)))
        await asyncio.sleep(0.1)
        assert not other.done()
    await other
    held = [("officer", number(1))]
    assert await remit_now(database, held, READ) == frozenset()
    assert await remit_now(database, held, WRITE) == {number(1)}


async def test_remembered_permissions_are_those_of_the_tables(database: Database) -> None:
    await define(database, ("reader", (READ,), 1), ("writer", (READ, WRITE), 1))
    permissions = Permissions(database)
    held = [("reader", number(1)), ("writer", number(2)), ("stranger", number(3))]
    assert await permissions.remit(held, READ) == frozenset({number(1), number(2)})
    assert await permissions.remit(held, WRITE) == frozenset({number(2)})
    assert await permissions.of(held) == {READ, WRITE}
    assert await permissions.of(held[2:]) == frozenset()


async def test_a_withdrawn_permission_is_forgotten_within_two_seconds(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = 1000.0
    monkeypatch.setattr("orgtree.roles.monotonic", lambda: clock)
    await define(database, ("officer", (READ,), 1))
    permissions, held = Permissions(database), [("officer", number(1))]
    assert await permissions.remit(held, READ) == frozenset({number(1)})
    await define(database, ("officer", (), 2))
    clock += 1.9
    assert await permissions.remit(held, READ) == frozenset({number(1)})
    clock += 0.1
    assert await permissions.remit(held, READ) == frozenset()


async def test_many_who_ask_at_once_read_once(database: Database) -> None:
    await define(database, ("officer", (READ,), 1))
    permissions, reads = Permissions(database), 0
    read = database.read

    def counted_read() -> object:
        nonlocal reads
        reads += 1
        return read()

    database.read = counted_read  # type: ignore[method-assign, assignment]
    await asyncio.gather(*(permissions.of([("officer", number(1))]) for _ in range(20)))
    assert reads == 1
