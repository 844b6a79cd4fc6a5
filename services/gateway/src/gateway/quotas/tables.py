"""What identity told of each client, and what each process of the gateway has of its quota."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from database import Table


class ClientQuota(Table):
    """One client's present quota."""

    __table_args__ = (CheckConstraint("requests_per_minute > 0", name="requests_per_minute"),)

    client_id: Mapped[str] = mapped_column(primary_key=True)
    client_principal_id: Mapped[UUID] = mapped_column(unique=True)
    version: Mapped[int] = mapped_column(BigInteger)
    requests_per_minute: Mapped[int]
    suspended: Mapped[bool]
    origins: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))


class ReplicaDemand(Table):
    """What part of a client's quota one process of the gateway needs, and what it has; from 0 to 1."""

    __table_args__ = {"prefixes": ["unlogged"]}  # noqa: RUF012 - as SQLAlchemy wants it

    replica_id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(primary_key=True)
    need: Mapped[float]
    share: Mapped[float]
    told_at: Mapped[datetime]
