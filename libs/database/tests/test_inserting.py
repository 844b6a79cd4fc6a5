"""A row that may be there already is inserted once, whatever it holds."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import ForeignKey, bindparam, exists, select, text
from sqlalchemy import Table as CoreTable
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from database import Condition, Database, NeedsSQLAlchemy, Table, insert_new, insert_or_same, new_id


class Parcel(Table):
    """A row of many types."""

    __tablename__ = "parcel"

    parcel_id: Mapped[UUID] = mapped_column(primary_key=True)
    label: Mapped[str | None] = mapped_column(unique=True)
    marks: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    sent_at: Mapped[datetime | None]
    inside: Mapped[UUID | None] = mapped_column(ForeignKey("parcel.parcel_id"))
    fragile: Mapped[bool | None]
    seal: Mapped[bytes | None]
    notes: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url, application_name="test")
    async with opened.transaction() as session:
        await (await session.connection()).run_sync(Parcel.metadata.create_all, [cast("CoreTable", Parcel.__table__)])
    yield opened
    await opened.close()


async def test_a_new_row_is_inserted_with_its_values_and_the_defaults(database: Database) -> None:
    parcel_id, sent_at = new_id(), datetime(2026, 1, 1, tzinfo=UTC)
    async with database.transaction() as session:
        stated = {"seal": b"\0", "sent_at": sent_at, "fragile": True, "label": "书", "parcel_id": parcel_id}
        assert await insert_new(session, Parcel, stated)
    async with database.read() as session:
        [row] = await session.scalars(select(Parcel))
    assert {name: getattr(row, name) for name in stated} == stated
    assert row.marks == []


async def test_a_row_that_collides_with_one_there_is_changes_nothing(database: Database) -> None:
    first = {"parcel_id": new_id(), "label": "a", "marks": ["x", "y"]}
    async with database.transaction() as session:
        assert await insert_new(session, Parcel, first)
        assert not await insert_new(session, Parcel, {**first, "marks": []})
        assert not await insert_new(session, Parcel, {**first, "parcel_id": new_id(), "marks": []})
        assert (await session.scalars(select(Parcel.marks))).all() == [["x", "y"]]


async def test_another_broken_constraint_is_told(database: Database) -> None:
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        async with database.transaction() as session:
            await insert_new(session, Parcel, {"parcel_id": new_id(), "inside": new_id()})


async def test_it_works_on_the_driver_s_own_transaction_and_rolls_back_with_it(database: Database) -> None:
    with pytest.raises(LookupError):
        async with database.raw_transaction() as connection:
            assert await insert_new(connection, Parcel, {"parcel_id": new_id()})
            raise LookupError
    async with database.read() as session:
        assert (await session.execute(text("select count(*) from parcel"))).scalar_one() == 0


async def test_a_column_whose_values_sqlalchemy_would_adapt_is_refused(database: Database) -> None:
    async with database.transaction() as session:
        with pytest.raises(NeedsSQLAlchemy, match="notes"):
            await insert_new(session, Parcel, {"parcel_id": new_id(), "notes": {}})


class LabelTaken(Exception):
    """The id or the label belongs to another parcel."""


async def test_a_row_sent_again_is_found_and_a_different_one_is_refused(database: Database) -> None:
    first = {"parcel_id": new_id(), "label": "a", "sent_at": datetime(2026, 1, 1, tzinfo=UTC), "fragile": True}
    later = {**first, "sent_at": datetime(2026, 1, 2, tzinfo=UTC)}
    stated = ("label", "fragile")
    async with database.transaction() as session:
        made, inserted = await insert_or_same(session, Parcel, first, stated=stated, taken=LabelTaken)
        assert (made.parcel_id, made.label, inserted) == (first["parcel_id"], "a", True)
    async with database.transaction() as session:
        held, inserted = await insert_or_same(session, Parcel, later, stated=stated, taken=LabelTaken)
        assert (held.sent_at, inserted) == (first["sent_at"], False)
        for other in ({**first, "fragile": False}, {**first, "label": "b"}, {**first, "parcel_id": new_id()}):
            with pytest.raises(LabelTaken):
                await insert_or_same(session, Parcel, other, stated=stated, taken=LabelTaken)


class NoBox(Exception):
    """There is no parcel of the label that one is to be put into."""


_BOX = Parcel.__table__.alias()
_HAS_BOX = exists(select(_BOX.c.parcel_id).where(_BOX.c.label == bindparam("box"), _BOX.c.fragile.is_not(True)))


async def test_a_row_goes_in_under_a_condition_alone(database: Database) -> None:
    async with database.transaction() as session:
        asked = []

        async def require() -> None:
            asked.append("box")
            if not await session.scalar(select(exists().where(Parcel.label == "box"))):
                raise NoBox

        boxed = Condition(_HAS_BOX, {"box": "box"}, require)
        row = {"parcel_id": new_id(), "label": "a", "marks": ["x"], "sent_at": datetime(2026, 1, 1, tzinfo=UTC)}
        with pytest.raises(NoBox):
            await insert_or_same(session, Parcel, row, stated=("label",), taken=LabelTaken, under=boxed)
        assert await session.scalar(select(Parcel.label)) is None
        await insert_new(session, Parcel, {"parcel_id": new_id(), "label": "box"})
        for inserted in (True, False):
            made = await insert_or_same(session, Parcel, row, stated=("label",), taken=LabelTaken, under=boxed)
            assert (made[0].marks, made[1]) == (["x"], inserted)
        assert len(asked) == 2  # what is inserted needs no second look
        other = {**row, "label": "b"}
        with pytest.raises(LabelTaken):
            await insert_or_same(session, Parcel, other, stated=("label",), taken=LabelTaken, under=boxed)


async def test_a_condition_that_came_to_hold_meanwhile_is_no_collision(database: Database) -> None:
    async with database.transaction() as session:

        async def require() -> None:
            await insert_new(session, Parcel, {"parcel_id": new_id(), "label": "box"})

        row = {"parcel_id": new_id(), "label": "a"}
        boxed = Condition(_HAS_BOX, {"box": "box"}, require)
        assert (await insert_or_same(session, Parcel, row, stated=("label",), taken=LabelTaken, under=boxed))[1]
