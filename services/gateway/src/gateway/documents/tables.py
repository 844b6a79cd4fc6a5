"""The documents of services, as they were last good."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from database import Table


class ServiceDocument(Table):
    """What one service last said of itself, as it came."""

    service: Mapped[str] = mapped_column(primary_key=True)
    document: Mapped[dict[str, Any]]
    fetched_at: Mapped[datetime]
