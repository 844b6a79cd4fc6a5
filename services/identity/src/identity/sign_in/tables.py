"""The browser session: a person signed in on one browser, known by a cookie."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from database import Table


class BrowserSession(Table):
    """One sign-in of one person on one browser; the cookie's value is kept as its SHA-256 alone."""

    __tablename__ = "session"

    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    cookie_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id"), index=True)
    acr: Mapped[str]
    amr: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """The ways in which the person proved who they are (RFC 8176)."""
    device: Mapped[str | None]
    """The kind of device, in a few words such as "chrome android"; what the browser sent is not kept."""
    signed_in_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    waiting_request: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Which authorization request this sign-in was made for and has not answered yet (its SHA-256)."""
