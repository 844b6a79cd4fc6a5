"""Event of an erasure: who is to be forgotten."""

from typing import ClassVar
from uuid import UUID

from contracts.envelope import Event


class PersonErasedV1(Event):
    """A person is to be forgotten: every service destroys the key of what it holds about them, for good."""

    type: ClassVar[str] = "xiangqiao.identity.erasure.decided.v1"
    aggregate: ClassVar[str] = "erasure"
    identified_by: ClassVar[str] = "person_id"

    person_id: UUID
