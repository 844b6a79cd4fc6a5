"""Tables of throttling: what was asked how often, how many guesses failed, which browsers an owner has used."""

from datetime import datetime

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from database import Table


class RateCount(Table):
    """How often a subject did something in its present window; the subject is a keyed hash of what is counted."""

    subject: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    window_seconds: Mapped[int] = mapped_column(primary_key=True)
    began_at: Mapped[datetime]
    counted: Mapped[int]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class GuessCount(Table):
    """Failed sign-ins on a name, from an address or on a known browser, and until when the next one waits."""

    subject: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    failures: Mapped[int]
    blocked_until: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
