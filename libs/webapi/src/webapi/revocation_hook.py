"""Lets an application hear of the tokens that identity ends, whatever brings the events."""

import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Protocol

from contracts import Event
from webapi.application import Application, Hook
from webapi.revocations import KEPT_FOR, REVOCATIONS


class Tail(Protocol):
    """What follows events, first those of some time back, then those that come: `messaging.Tail` is one."""

    def following(
        self,
        event_types: Collection[type[Event]],
        take: Callable[[Event], None],
        *,
        since: timedelta,
        complete: Callable[[], None],
    ) -> AbstractAsyncContextManager[None]:
        """Give events of these types, from `since` before now on, to `take`, as long as the block lasts.

        `complete` is called once, when those that there were have been given.
        """

    async def check(self) -> None:
        """Raise while events may be missing."""


def follow_revocations(tail: Tail) -> Hook:
    """Give the hook by which an application refuses tokens that identity has ended.

    The readiness check `revocations` fails until those of the last minutes have been read, and while none can be heard
    of. Until then tokens of before the start get 503: nobody here knows whether they were ended. Later ones hold.
    """

    @asynccontextmanager
    async def hook(application: Application) -> AsyncIterator[None]:
        application.checks["revocations"] = tail.check
        revocations = application.authenticator.revocations
        revocations.await_past(time.time())
        async with tail.following(REVOCATIONS, revocations.take, since=KEPT_FOR, complete=revocations.past_is_known):
            yield

    return hook
