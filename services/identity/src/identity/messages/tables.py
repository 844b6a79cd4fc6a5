"""The queue of identity's messages."""

from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from channels import QueuedMessage


class MessageToSend(QueuedMessage):
    """A message on its way to somebody who has an account, or had."""

    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.account_id"), index=True)
    """Whom it is to reach; without one it outlives them, as the word that they are erased does."""


OF_NOBODY = "exists (select from account where account_id = due.account_id and status = 'erased')"
"""The condition under which one is dropped: its account was erased before it went."""
