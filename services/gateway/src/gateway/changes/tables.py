"""The logs of changes: for each audience the newest state of each thing it sees, in the order of transactions."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, text
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from database import Table


class Xid8(UserDefinedType[int]):
    """The whole id of a transaction (PostgreSQL's `xid8`), an `int` for the driver."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """Give its name in SQL."""
        return "xid8"


ischema_names["xid8"] = Xid8


class _Logged:
    """One thing in one audience, as it was last told there; (`txid`, `id`) is its place in the log.

    `part`: only a person's own part in the thing changed, which has versions of its own. `version` is null where what
    wrote it has seen to their order.
    """

    scope: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    audience: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int | None] = mapped_column(BigInteger)
    gone: Mapped[bool]
    part: Mapped[bool]
    txid: Mapped[int] = mapped_column(Xid8, server_default=text("pg_current_xact_id()"))
    id: Mapped[int] = mapped_column(BigInteger, Identity())


class Change(_Logged, Table):
    """What the services tell of: kept by a consumer of its own."""

    __table_args__ = (Index(None, "audience", "txid", "id"), Index(None, "txid", "id"))


class HomeChange(_Logged, Table):
    """What stands on homes: written with them, so that who is told of a change finds it there."""

    __table_args__ = (Index(None, "audience", "txid", "id"), Index(None, "txid", "id"))


class ChangeLog(Table):
    """The one row on both logs: their epoch, the cluster whose transactions they count by, and what was purged."""

    __table_args__ = (CheckConstraint("only_row", name="only_row"),)

    only_row: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    epoch: Mapped[int] = mapped_column(server_default=text("1"))
    cluster: Mapped[int] = mapped_column(BigInteger)
    purged_to: Mapped[int] = mapped_column(Xid8, server_default=text("'0'"))


class ChangeMark(Table):
    """Where the logs stood at a moment: rows before it are older."""

    txid: Mapped[int] = mapped_column(Xid8, primary_key=True)
    marked_at: Mapped[datetime]
