"""Numbers that people read from somewhere, as routes take them: in any writing."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from webapi import rule_broken
from webapi.normal_forms import bare_number
from webapi.validation import worded


def _digits(count: int, *, en: str, zh: str) -> tuple[Any, AfterValidator]:
    def number_in(typed: str) -> str:
        number = bare_number(typed)
        if len(number) != count or not (number.isascii() and number.isdecimal()):
            raise rule_broken("digits", en=en, zh=zh)
        return number

    return Field(pattern=worded(rf"^.{{{count},64}}$", en=en, zh=zh)), AfterValidator(number_in)


SixDigits = Annotated[str, *_digits(6, en="This must be the six digits of the code.", zh="请填写 6 位数字的验证码。")]
"""The code of a challenge."""
NumberOfPage = Annotated[
    str,
    *_digits(
        8, en="These must be the eight digits on the page of the first sign-in.", zh="请填写首次登录页面上的 8 位号码。"
    ),
]
"""The number that the page of a first sign-in shows."""
