"""What a username and a first password may be: pure rules, the same for a page, a route and the first start."""

import re
import unicodedata

PASSWORD_LENGTH = (8, 128)
_USERNAME = re.compile(r"[0-9a-z\u4e00-\u9fff](?:[0-9a-z\u4e00-\u9fff._-]{1,62})[0-9a-z\u4e00-\u9fff]")


class UsernameUnusable(Exception):
    """A username is not 3 to 64 letters, digits, Chinese characters, dots, hyphens or underscores."""


class PasswordUnusable(Exception):
    """A password is too short, too long, or the username itself."""


def normalised_username(typed: str) -> str | None:
    """Give the one spelling under which a username is kept, however it was typed, or None when it can be none.

    Width and case are folded (NFKC, case folding) and space around it dropped, so that a full-width keyboard and a
    capitalising phone find the same account.
    """
    folded = unicodedata.normalize("NFKC", typed[:256]).strip().casefold()
    return folded if _USERNAME.fullmatch(folded) else None


def require_username(typed: str) -> str:
    """Give the normalised username; raises `UsernameUnusable`."""
    username = normalised_username(typed)
    if username is None:
        raise UsernameUnusable
    return username


def require_password(password: str, *, username: str) -> str:
    """Give the password back when it may be used; raises `PasswordUnusable`."""
    shortest, longest = PASSWORD_LENGTH
    if not shortest <= len(password) <= longest or normalised_username(password) == username:
        raise PasswordUnusable
    return password
