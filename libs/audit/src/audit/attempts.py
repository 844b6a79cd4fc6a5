"""Attempts that are refused are recorded too, in a transaction of their own: the request's leaves nothing."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from audit.entries import Entry, count_refusal, record, refused
from database import utc_now
from webapi import AuthenticatedCaller, Refusal
from webapi.problems import PERMISSION_MISSING

_FORBIDDEN: Final = 403


@asynccontextmanager
async def refusals_recorded(
    caller: AuthenticatedCaller, attempt: Entry, rules: Mapping[type[Exception], str]
) -> AsyncIterator[None]:
    """Record what the block refuses as `attempt`: whatever answers 403, and the exceptions that `rules` give a code.

    Of who lacks the permission everywhere tries are counted alone, and stand in nobody's access log. What `attempt`
    says is codes of ours: `purpose` is none that somebody else made up.
    """
    try:
        yield
    except Exception as error:
        rule = rules.get(type(error))
        if isinstance(error, Refusal) and error.problem.status == _FORBIDDEN:
            rule = error.problem.code
        if rule is not None:
            async with caller.apart() as session:
                if rule == PERMISSION_MISSING.code:
                    await count_refusal(session, attempt)
                else:
                    await record(session, refused(attempt, rule), now=utc_now())
        raise
