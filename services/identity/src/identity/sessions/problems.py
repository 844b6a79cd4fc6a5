"""The refusals about sessions as problem details: part of identity's table."""

from collections.abc import Mapping

from identity.sessions.commands import SessionUnknown
from webapi import NOT_FOUND, Problem

PROBLEMS: Mapping[type[Exception], Problem] = {
    SessionUnknown: NOT_FOUND,
}
