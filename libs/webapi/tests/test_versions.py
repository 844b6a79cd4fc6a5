"""Entity tags are read as RFC 9110 writes them, wherever a request names one."""

import pytest

from webapi.problems import Refusal
from webapi.versions import ANYTHING, Expected, etag, tags_in


@pytest.mark.parametrize(
    ("lines", "strongly", "weakly"),
    [
        (['"3"'], True, True),
        (['W/"3"'], False, True),
        (["*"], True, True),
        ([" * "], True, True),
        (['"*"'], False, False),
        (['"1", "3"'], True, True),
        (['"1"', '"3"'], True, True),
        ([', "a,b"\t,, "é","3",'], True, True),
        (['"1,3"', '"3 "', "3", 'w/"3"'], False, False),
        (['*, "1"'], False, False),
        (['""'], False, False),
    ],
)
def test_what_is_named(lines: list[str], strongly: bool, weakly: bool) -> None:
    tags = tags_in(lines)
    assert tags is not None
    assert (tags.has(etag(3)), tags.has_weakly(etag(3))) == (strongly, weakly)


def test_who_names_nothing_expects_anything_and_who_names_another_gets_the_present_version() -> None:
    assert tags_in([]) is None
    ANYTHING.require(3)
    Expected(tags_in(['"3"'])).require(3)
    with pytest.raises(Refusal) as caught:
        Expected(tags_in(['"*", "2"'])).require(3)
    assert (caught.value.problem.status, caught.value.headers, caught.value.members) == (
        412,
        {"etag": '"3"'},
        {"version": 3},
    )
