"""A service's problems are one table: what is said twice is found when it starts."""

import pytest

import orgtree
from service.problems import SHARED, joined
from webapi import NOT_FOUND, Problem


class Lost(Exception):
    """A thing is lost."""


class Broken(Exception):
    """A thing is broken."""


LOST = Problem(409, "lost", "It is lost.", "已遗失。")


def test_the_tables_of_features_and_what_all_answer_alike_become_one() -> None:
    assert joined([{Lost: LOST}, {Broken: NOT_FOUND}]) == {**SHARED, Lost: LOST, Broken: NOT_FOUND}


@pytest.mark.parametrize(
    "tables", [[{Lost: LOST}, {Lost: NOT_FOUND}], [{orgtree.OutsideRemit: LOST}]], ids=["two features", "a shared one"]
)
def test_an_exception_that_is_a_problem_twice_is_refused(tables: list[dict[type[Exception], Problem]]) -> None:
    with pytest.raises(ValueError, match="problem twice"):
        joined(tables)


def test_a_code_means_one_problem() -> None:
    assert joined([{Lost: LOST}, {Broken: LOST}])
    with pytest.raises(ValueError, match="lost is two problems"):
        joined([{Lost: LOST}, {Broken: LOST._replace(status=404)}])
