"""The refusals about what is done too often as problem details: part of identity's table."""

from collections.abc import Mapping

from identity.throttling.rates import TooOften
from webapi import Problem
from webapi.reach import TOO_OFTEN

PROBLEMS: Mapping[type[Exception], Problem] = {TooOften: TOO_OFTEN}
