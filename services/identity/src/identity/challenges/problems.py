"""The refusals about one-time codes as problem details: part of identity's table."""

from collections.abc import Mapping

from identity.challenges.commands import CodeRefused
from webapi import Problem

PROBLEMS: Mapping[type[Exception], Problem] = {
    CodeRefused: Problem(422, "code_refused", "The code is wrong or not valid any more.", "验证码不正确或已失效。"),
}
