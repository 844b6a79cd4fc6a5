"""The migrations make exactly the tables that the code speaks of, and take them away again."""

import learning.courses.tables
import learning.study.tables  # noqa: F401 - declares its tables
from testkit.schemas import declared_by, differences, left_on_the_way_back

from .conftest import MIGRATIONS


async def test_the_migrated_tables_are_those_the_code_speaks_of(database_url: str) -> None:
    assert await differences(database_url, declared_by("learning")) == []


async def test_the_way_back_leaves_nothing(database_url: str) -> None:
    assert await left_on_the_way_back(database_url, MIGRATIONS) == []
