"""What devices are held to by rule alone: codes people can type, how long things last, how often a device may ask."""

from collections.abc import Callable
from datetime import datetime, timedelta

USER_CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
"""Consonants: no word comes of them, and none looks like a digit (RFC 8628, section 6.1)."""
USER_CODE_LENGTH = 8
LONGEST_USER_CODE_TYPED = 40
CODE_LIFETIME = timedelta(minutes=10)
FIRST_INTERVAL_SECONDS = 5
INTERVAL_GROWS_BY_SECONDS = 5
EARLY_BY = timedelta(milliseconds=500)
"""How much before its time a question may come: a device measures from when the answer reached it."""

TERMINAL_ACR = "1"
"""The most a shared terminal proves: what needs a second factor is for a device of one's own."""

LONGEST_PLACE = 80
LONGEST_TERMINAL_ID = 128


def new_user_code(choose: Callable[[str], str]) -> str:
    """Make a code to type, each letter given by `choose` out of those that are offered."""
    return "".join(choose(USER_CODE_LETTERS) for _ in range(USER_CODE_LENGTH))


def shown(user_code: str) -> str:
    """Give the code in the form in which people read it: `ABCD-EFGH`."""
    half = USER_CODE_LENGTH // 2
    return f"{user_code[:half]}-{user_code[half:]}"


def normalised_user_code(typed: str) -> str | None:
    """Give the code that somebody typed, whatever its case, width and separators; None when it can be none."""
    if len(typed) > LONGEST_USER_CODE_TYPED:
        return None
    narrow = (chr(ord(letter) - 0xFEE0) if "\uff21" <= letter <= "\uff5a" else letter for letter in typed)
    letters = [letter for letter in "".join(narrow).upper() if letter.isalnum()]
    if len(letters) != USER_CODE_LENGTH or not set(letters) <= set(USER_CODE_LETTERS):
        return None
    return "".join(letters)


def too_fast(polled_at: datetime | None, interval_seconds: int, now: datetime) -> bool:
    """Say whether a device asks again before its interval has passed."""
    return polled_at is not None and now < polled_at + timedelta(seconds=interval_seconds) - EARLY_BY
