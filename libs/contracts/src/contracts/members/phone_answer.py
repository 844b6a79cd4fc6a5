"""Event of what became of a message that identity asked for."""

from typing import ClassVar
from uuid import UUID

from contracts.envelope import Code, Event


class PhoneAnswerGivenV1(Event):
    """A message was queued (`sent`), or there is no such file or phone on it (`no_phone`), or it came `late`.

    `person_id` is whose phone it is sent to; without that, nobody's.
    """

    type: ClassVar[str] = "xiangqiao.members.phone_answer.given.v1"
    aggregate: ClassVar[str] = "phone_answer"
    identified_by: ClassVar[str] = "message_id"

    message_id: UUID
    person_id: UUID | None = None
    outcome: Code
