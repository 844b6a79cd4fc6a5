"""What a username and a password may be: pure rules, the same for a page, a route and the first start."""

import math
import re
import unicodedata
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from zxcvbn import zxcvbn  # type: ignore[import-untyped]
from zxcvbn.matching import L33T_TABLE  # type: ignore[import-untyped]

PASSWORD_LENGTH = (8, 128)
LEAST_GUESSES = 10**6
"""What a password has to withstand: an attacker who is slowed down as everybody here is gives up long before.

zxcvbn estimates it from 30,000 leaked passwords, words, names, dates, sequences and keyboard patterns, all offline
(https://www.usenix.org/conference/usenixsecurity16/technical-sessions/presentation/wheeler).
"""
FIRST_PASSWORD_LIFETIME: Final = timedelta(days=14)
"""How long the password that an account was opened with works, until its owner has chosen another.

Whoever opened the account knows it. Two weeks are enough for a note that somebody brings to the village, and too short
for one that lies in a drawer.
"""
PERSON_HEARS: Final = timedelta(days=7)
"""How long a password that was set by a code to a phone alone proves no more than that phone does.

Whose phone is gone has the number blocked or brought over within days, and sets another password by it.
"""
_READ_BY_THE_ESTIMATE = 32
"""Characters; the time it takes grows faster than the length, and a longer password is never too common for it."""
_MOST_READINGS = 8
"""Ways to read its look-alike signs (4 for a, 1 for i or l) in which a text is held against the words: of 64 such signs
there are hundreds, and they take a minute."""
_READ_IN_ALL_READINGS = 12
"""Characters of a text that can be read in more ways."""
_HABITS = (
    "乡桥", "xiangqiao", "xiangcun", "dangyuan", "dangjian", "zhibu", "shuji", "zhongguo", "beijing", "woaizhongguo",
    "woaini", "woaiwojia", "aini", "woaiwo", "wozuishuai", "nihao", "mima", "wodemima", "laopo", "laogong", "baobao",
    "baobei", "mama", "baba", "tiantian", "pingan", "xingfu", "kuaile", "facai", "jixiang", "5201314", "1314520",
    "520", "1314", "147258369", "741852963", "112233", "168168", "888888", "666666",
)  # fmt: skip
"""What people in China like to take (mima: password, woaini: I love you, 5201314: for ever), beside the leaked ones."""
_NUMBERS_OF_PEOPLE = re.compile(r"(?:\+?86)?1[3-9][0-9]{9}|[0-9]{17}[0-9xX]|[0-9]{15}")
"""Phone and identity numbers: long, but on every form the person ever filled in."""
_USERNAME = re.compile(r"[0-9a-z\u4e00-\u9fff](?:[0-9a-z\u4e00-\u9fff._-]{1,62})[0-9a-z\u4e00-\u9fff]")


class UsernameUnusable(Exception):
    """A username is not 3 to 64 letters, digits, Chinese characters, dots, hyphens or underscores, or is a number of
    people: somebody's phone number signs in its owner alone."""


class PasswordUnusable(Exception):
    """A password is too short, too long, or the username itself."""


class PasswordTooCommon(PasswordUnusable):
    """A password is among the first million that anybody would try: leaked, a pattern, or about its owner."""


class PasswordUnchanged(PasswordUnusable):
    """A new password is the one that it should replace."""


class FirstPasswordExpired(Exception):
    """The password is right, and the one that the account was opened with; nobody has chosen another in time."""


def normalised_username(typed: str) -> str | None:
    """Give the one spelling under which a username is kept, however it was typed, or None when it can be none.

    Width and case are folded (NFKC, case folding) and space around it dropped, so that a full-width keyboard and a
    capitalising phone find the same account.
    """
    folded = unicodedata.normalize("NFKC", typed[:256]).strip().casefold()
    return folded if _USERNAME.fullmatch(folded) else None


def require_username(typed: str) -> str:
    """Give the normalised username; raises `UsernameUnusable`, also for a number by which its owner may be known."""
    username = normalised_username(typed)
    if username is None or _NUMBERS_OF_PEOPLE.fullmatch(username.replace("-", "")):
        raise UsernameUnusable
    return username


def normalised_password(typed: str) -> str:
    """Give the one form in which a password is hashed, whatever keyboard typed it (NFKC, NIST SP 800-63B 3.1.1.2)."""
    return unicodedata.normalize("NFKC", typed)


def require_password(password: str, *, username: str | None, also: Iterable[str] = ()) -> str:
    """Give the password in the form to be hashed when it may be used: 8 to 128 characters, and not easily guessed.

    No kinds of characters are asked for (NIST SP 800-63B). `also` are further words that say something about its owner.
    It takes some 50 ms, and one at a time: `passwords.Passwords.require` is the way to it. Raises `PasswordUnusable`,
    and `PasswordTooCommon` which is one.
    """
    shortest, longest = PASSWORD_LENGTH
    if len(password) > longest:
        raise PasswordUnusable
    normalised = normalised_password(password)
    if not shortest <= len(normalised) <= longest:
        raise PasswordUnusable
    if username is not None and normalised_username(normalised) == username:
        raise PasswordUnusable
    own = [word for word in (username, *also) if word]
    estimate = zxcvbn(_read_by_the_estimate(normalised), user_inputs=[*own, *_HABITS])
    if _NUMBERS_OF_PEOPLE.fullmatch(normalised) or estimate["guesses"] < LEAST_GUESSES:
        raise PasswordTooCommon
    return normalised


def _read_by_the_estimate(password: str) -> str:
    """Give the beginning of a password, so short that what it takes to estimate is bounded."""
    read = password[:_READ_BY_THE_ESTIMATE]
    readings = math.prod(max(1, sum(sign in read for sign in signs)) for signs in L33T_TABLE.values())
    return read if readings <= _MOST_READINGS else read[:_READ_IN_ALL_READINGS]


class PasswordWrong(Exception):
    """The password that was to be replaced is another one."""
