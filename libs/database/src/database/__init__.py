"""PostgreSQL for one service: engine, transactions, ids, sealed columns, migrations."""

from database import migrations
from database.engine import Database, asyncpg_dsn, raw
from database.ids import new_id, utc_now
from database.inserting import NeedsSQLAlchemy, insert_new
from database.sealing import BlindIndex, KeyRing, SealBroken, Sealed, associated, seal, unseal
from database.table import Table

__all__ = [
    "BlindIndex",
    "Database",
    "KeyRing",
    "NeedsSQLAlchemy",
    "SealBroken",
    "Sealed",
    "Table",
    "associated",
    "asyncpg_dsn",
    "insert_new",
    "migrations",
    "new_id",
    "raw",
    "seal",
    "unseal",
    "utc_now",
]
