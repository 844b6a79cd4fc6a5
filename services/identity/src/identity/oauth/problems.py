"""The refusals about what clients are let have as problem details: part of identity's table."""

from collections.abc import Mapping

from identity.oauth.consents import ConsentUnknown
from webapi import NOT_FOUND, Problem

PROBLEMS: Mapping[type[Exception], Problem] = {
    ConsentUnknown: NOT_FOUND,
}
