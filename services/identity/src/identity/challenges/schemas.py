"""The code of a challenge, as routes take it."""

from typing import Annotated

from pydantic import Field

from webapi.validation import worded

SixDigits = Annotated[
    str,
    Field(pattern=worded(r"^[0-9]{6}$", en="This must be the six digits of the code.", zh="请填写 6 位数字的验证码。")),
]
