"""The migrations make exactly the tables that the code speaks of, and take them away again."""

import members.files.tables
import members.organisations.tables  # noqa: F401 - declares its tables
from testkit.schemas import declared_by, differences, left_on_the_way_back

from .conftest import MIGRATIONS


async def test_the_migrated_tables_are_those_the_code_speaks_of(database_url: str) -> None:
    found = await differences(database_url, declared_by("members"))
    # An index over a constant, which keeps the root the only one, cannot be declared on a table's columns.
    assert [each for each in found if "uq_registered_organisation_root" not in each] == []


async def test_the_way_back_leaves_nothing(database_url: str) -> None:
    assert await left_on_the_way_back(database_url, MIGRATIONS) == []
