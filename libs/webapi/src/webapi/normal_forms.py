"""One way to write what people type or paste: names, lines, words, mobile numbers, numbers of papers.

What is written otherwise and means the same is taken; what nobody sees is refused, as it makes two names of one.
"""

import re
import unicodedata
from typing import Any, Final

from webapi.validation import rule_broken

_CONTROLS: Final = "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"
_DIRECTIONS: Final = "\u202a-\u202e\u2066-\u2069"
_IGNORED: Final = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
"""What Unicode has programs leave out where they cannot show it, and the blank of Braille."""
_UNSEEN: Final = re.compile(f"[{_CONTROLS}{_DIRECTIONS}{_IGNORED}]")
_UNSEEN_IN_WORDS: Final = re.compile(f"[{_CONTROLS}{_DIRECTIONS}]")
_VARIATIONS: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_DOTS: Final = str.maketrans(dict.fromkeys("•・‧∙⋅", "·"))
_AROUND_DIGITS: Final = re.compile(rf"[\s'‘’`′()\-\u2010-\u2015{_DIRECTIONS}\u200b-\u200f\ufeff]")
"""What spreadsheets, address books and habit put before, between and after the digits of a number."""
_MAINLAND_MOBILE: Final = re.compile(r"(?:(?:\+|00)?86)?(1[3-9][0-9]{9})")
_LONGEST_NUMBER: Final = 64
_LONGEST: Final = 10_000
"""Characters of a text that is brought into its form; a longer one is left as it is, for the measure to refuse it."""
_MOST_MARKS: Final = 30
"""Marks upon one letter, as in Unicode's stream-safe form (UAX 15): to put them into their order takes as long as their
number squared, and a request may bring fifty texts."""
_MAY_BE_MARKS: Final = re.compile(rf"[^\x00-\u02ff\u3400-\u9fff\uac00-\ud7a3]{{{_MOST_MARKS + 1}}}")


def one_line(text: Any) -> Any:
    """Give a text as one line: NFC, blanks of all kinds trimmed and joined; raises what pydantic reports.

    What is no text is left to the validation of the type.
    """
    return _seen(" ".join(_shown(text, "NFC").split())) if isinstance(text, str) else text


def person_name(text: Any) -> Any:
    """Give a person's name in its one form: as a line, with width folded (NFKC) and all dots between its parts one."""
    if not isinstance(text, str):
        return text
    return _seen(" ".join(_shown(text, "NFKC").translate(_DOTS).split()))


def words(text: Any) -> Any:
    """Give what somebody has to say in NFC and trimmed; its lines stay as they are."""
    return _seen(_normal("NFC", text).strip(), _UNSEEN_IN_WORDS) if isinstance(text, str) else text


def bare_number(text: str) -> str:
    """Give a number from a paper or an address book without what is not of it: width, blanks, dashes, apostrophes."""
    return _AROUND_DIGITS.sub("", unicodedata.normalize("NFKC", text[:_LONGEST_NUMBER]))


def mobile_number(text: str) -> str | None:
    """Give the 11 digits of a mainland mobile number, however it is written, or None when it can be none."""
    match = _MAINLAND_MOBILE.fullmatch(bare_number(text))
    return match[1] if match else None


def international(number: str) -> str:
    """Give the 11 digits as phones are reached by them: with `+86` before."""
    return f"+86{number}"


def required_mobile_number(text: str) -> str:
    """Give the 11 digits; raises what pydantic reports."""
    number = mobile_number(text)
    if number is None:
        raise rule_broken(
            "mobile_number",
            en="This must be a mainland mobile number of 11 digits, e.g. 13800138000.",
            zh="请填写 11 位大陆手机号，例如 13800138000。",
        )
    return number


def _shown(text: str, form: Any) -> str:
    return _VARIATIONS.sub("", _normal(form, text))


def _normal(form: Any, text: str) -> str:
    if len(text) > _LONGEST:
        return text
    if _MAY_BE_MARKS.search(text):
        _require_few_marks(text)
    return unicodedata.normalize(form, text)


def _require_few_marks(text: str) -> None:
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.combining(unicodedata.normalize("NFKD", character)[0]) else 0
        if marks > _MOST_MARKS:
            raise rule_broken(
                "piled_marks",
                en=f"One letter here has more than {_MOST_MARKS} marks upon it; type it anew.",
                zh=f"含有叠加了超过 {_MOST_MARKS} 个附加符号的字符，请重新输入。",
            )


def _seen(text: str, unseen: re.Pattern[str] = _UNSEEN) -> str:
    if unseen.search(text):
        raise rule_broken(
            "unseen_characters",
            en="This holds characters that nobody sees (zero-width, direction or control); type it anew.",
            zh="含有看不见的字符（零宽、文字方向或控制字符），请重新输入，不要粘贴。",
        )
    return text
