"""What members tells of its aggregates anew is what it told last, and a tree that a restore forgot is adopted."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orgtree
from contracts.members import OrganisationMovedV1
from database import Database
from members.files.telling import COMPOSITION
from members.organisations.telling import TOLD as ORGANISATION
from members.worker import TOLD
from testkit.databases import TestDatabases
from testkit.forgetting import adopted, forget, rows, tellings

from .provinces import Province

TABLES = ("registered_organisation", "organisation_period", "organisation")


async def change(province: Province, organisation: UUID, what: str, **body: Any) -> None:
    here = f"/organisations/{organisation}"
    etag = (await province.registrar.get(here)).headers["etag"]
    answer = await province.registrar.post(f"{here}/{what}", body, headers={"if-match": etag})
    assert answer.status_code in {200, 204}, answer.text


def but_time(statements: dict[UUID, tuple[Any, ...]]) -> dict[UUID, Sequence[Any]]:
    """Give states and versions: of organisations a day is kept and not what changed last, of counts a day."""
    return {key: (event.model_dump(), version) for key, (event, version, _) in statements.items()}


async def test_each_is_told_as_it_was_told_last(province: Province, database: Database) -> None:
    county, other, branch = await province.establish(), await province.establish(), await province.branch()
    await change(province, county, "renames", name="中共新县委员会")
    township = await province.establish(parent_id=county, level="township")
    await change(province, township, "moves", parent_id=str(other))
    await province.enrol(branch)
    await province.enrol(branch, away=True)
    for told in TOLD:
        paged, by_id, published = await tellings(database, told)
        assert published
        assert paged == by_id
        if told.state.aggregate == "affiliation":
            assert paged == published
        assert but_time(paged) == but_time(published)


async def test_a_tree_that_was_forgotten_is_adopted(
    province: Province, database: Database, databases: TestDatabases
) -> None:
    county, other = await province.establish(), await province.establish()
    township = await province.establish(parent_id=county, level="township")

    async def go_on() -> None:
        new = await province.establish()
        await change(province, township, "moves", parent_id=str(new))
        await change(province, new, "renames", name="中共新县委员会")
        await province.establish(parent_id=township, kind="committee", level="village")
        await change(province, other, "renames", division_code="520424")

    lost = await forget(databases.superuser_url_of(database.dsn), database, ORGANISATION, TABLES, go_on)
    assert len(lost.events) == 4
    assert await rows(database, TABLES) != lost.tables
    for _ in range(2):
        assert await adopted(database, ORGANISATION, lost.events) == {
            each.event.organisation_id for each in lost.events
        }
        assert await rows(database, TABLES) == lost.tables


async def test_what_would_stand_below_itself_or_below_nothing_is_not_adopted(
    province: Province, database: Database, databases: TestDatabases
) -> None:
    county, other = await province.establish(), await province.establish()
    township = await province.establish(parent_id=county, level="township")

    async def move() -> None:
        await change(province, township, "moves", parent_id=str(other))

    [lost] = (await forget(databases.superuser_url_of(database.dsn), database, ORGANISATION, TABLES, move)).events
    before = await rows(database, TABLES)
    for parent_id in (township, UUID(int=7)):
        moved = OrganisationMovedV1(**{**lost.event.model_dump(), "organisation_id": county, "parent_id": parent_id})
        assert await adopted(database, ORGANISATION, [lost._replace(event=moved)]) == set()
    assert await rows(database, TABLES) == before
    async with database.read() as session:
        assert await orgtree.ancestors_of(session, township) == (orgtree.ROOT_ID, county, township)


async def test_a_branch_whose_counts_were_forgotten_is_told_as_its_files_are(
    province: Province, database: Database, databases: TestDatabases
) -> None:
    branch = await province.branch()

    async def enrol() -> None:
        await province.enrol(branch)

    lost = await forget(databases.superuser_url_of(database.dsn), database, COMPOSITION, ("composition",), enrol)
    assert [each.event.members for each in lost.events] == [1]
    assert await adopted(database, COMPOSITION, lost.events) == set()
    paged, _, _ = await tellings(database, COMPOSITION)
    [(event, version, _)] = paged.values()
    assert (event.model_dump()["members"], version) == (0, 1)
