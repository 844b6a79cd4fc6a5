"""PostgreSQL for one service: engine, transactions, ids, sealed columns, migrations."""

from database import migrations
from database.deadlines import DEADLINE, Deadline
from database.engine import Database, asyncpg_dsn, closing, raw, write_last
from database.ids import new_id, utc_now
from database.inserting import Condition, NeedsSQLAlchemy, insert_new, insert_or_same
from database.listing import narrowed, page_of
from database.sealing import BlindIndex, KeyRing, SealBroken, Sealed, associated, seal, unseal
from database.statements import Closing, columns, count_of, known
from database.table import Table

__all__ = [
    "DEADLINE",
    "BlindIndex",
    "Closing",
    "Condition",
    "Database",
    "Deadline",
    "KeyRing",
    "NeedsSQLAlchemy",
    "SealBroken",
    "Sealed",
    "Table",
    "associated",
    "asyncpg_dsn",
    "closing",
    "columns",
    "count_of",
    "insert_new",
    "insert_or_same",
    "known",
    "migrations",
    "narrowed",
    "new_id",
    "page_of",
    "raw",
    "seal",
    "unseal",
    "utc_now",
    "write_last",
]
