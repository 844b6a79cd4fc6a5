"""Event of a message to the phone on somebody's member file, whose number identity does not know."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from contracts.envelope import Code, Event


class PhoneMessageAskedV1(Event):
    """Members is to send the text `text` to the phone on one file: of `person_id`, or found by `person_index`.

    The index is a keyed hash of a name and an identity number. What a message brings as its code, both services make
    of `message_id` by a key that they share; after its time nothing is sent any more.
    """

    type: ClassVar[str] = "xiangqiao.identity.phone_message.asked.v1"
    aggregate: ClassVar[str] = "phone_message"
    identified_by: ClassVar[str] = "message_id"

    message_id: UUID
    person_id: UUID | None = None
    person_index: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = None
    text: Code
    language: Code
