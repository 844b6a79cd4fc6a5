"""The refusals about what is done too often as problem details: part of identity's table."""

from collections.abc import Mapping

from identity.throttling.rates import TooOften
from webapi import Problem

PROBLEMS: Mapping[type[Exception], Problem] = {
    TooOften: Problem(
        429, "too_often", "Too often; try again later.", "操作太频繁，请稍后再试。", ("retry_after_seconds",)
    ),
}
