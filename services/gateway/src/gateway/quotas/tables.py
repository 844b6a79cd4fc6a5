"""What identity told of each client: how many requests a minute, whether it is suspended, whose pages may use it."""

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
