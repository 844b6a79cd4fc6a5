"""Event of a sign-in: that its tokens no longer hold."""

from typing import ClassVar
from uuid import UUID

from contracts.envelope import Event


class SessionRevokedV1(Event):
    """A front end's sign-in was ended before its time: no token with this id as its `sid` holds any more."""

    type: ClassVar[str] = "xiangqiao.identity.session.revoked.v1"
    aggregate: ClassVar[str] = "session"
    identified_by: ClassVar[str] = "session_id"

    session_id: UUID
