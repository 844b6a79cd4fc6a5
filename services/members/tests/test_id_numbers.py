"""Identity numbers are checked by form, date and check character."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from members.files.id_numbers import WrongIdNumber, birth_date_of

TODAY = date(2026, 11, 1)


def test_the_published_example_is_valid_and_tells_the_birth_date() -> None:
    assert birth_date_of("34052419800101001X", TODAY) == date(1980, 1, 1)


@pytest.mark.parametrize(
    ("number", "requirement"),
    [
        ("340524800101001", "form"),
        ("34052419800101001Y", "form"),
        ("04052419800101001X", "form"),
        ("340524198002300015", "birth_date"),
        ("340524209901010015", "birth_date"),
        ("340524198001010010", "check_digit"),
    ],
)
def test_what_is_wrong_is_named(number: str, requirement: str) -> None:
    with pytest.raises(WrongIdNumber) as caught:
        birth_date_of(number, TODAY)
    assert caught.value.requirement == requirement


@given(st.integers(0, 16), st.integers(1, 9))
def test_any_one_digit_mistyped_is_noticed(place: int, shift: int) -> None:
    right = "34052419800101001X"
    digit = str((int(right[place]) + shift) % 10)
    with pytest.raises(WrongIdNumber):
        birth_date_of(right[:place] + digit + right[place + 1 :], TODAY)
