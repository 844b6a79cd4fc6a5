"""Attempts that are refused are recorded too, in a transaction of their own: the request's leaves nothing."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from fastapi.routing import APIRoute

from audit.declaration import EXTENSION
from audit.entries import Entry, by, count_refusal, record, refused
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
            caller.refusal_recorded = True
            async with caller.apart() as session:
                if rule == PERMISSION_MISSING.code:
                    await count_refusal(session, attempt)
                else:
                    await record(session, refused(attempt, rule), now=utc_now())
        raise


async def record_refused(caller: AuthenticatedCaller, route: APIRoute, service: str, rule: str) -> None:
    """Record that `rule` refused a route to somebody in office, or count the try of whoever has no office for it.

    It stands under the first entry that the route would have left, and in nobody's access log: whose thing it was is
    not known where it is not to be found.
    """
    declared = (route.openapi_extra or {}).get(EXTENSION)
    action = declared[0] if isinstance(declared, list) else f"{service}.refused.{route.name.rstrip('_')}"[:64]
    attempt = by(caller.principal, caller.places).entry(action)
    async with caller.apart() as session:
        if caller.places:
            await record(session, refused(attempt, rule), now=utc_now())
        else:
            await count_refusal(session, attempt)
