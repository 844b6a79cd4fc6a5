"""The queue of messages to the phones on member files."""

from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from channels import QueuedMessage


class PhoneMessage(QueuedMessage):
    """A message on its way to the phone on somebody's file; its id is that of the request."""

    person_id: Mapped[UUID] = mapped_column(ForeignKey("member.person_id"), index=True)
