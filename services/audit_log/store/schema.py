"""
The log's tables, the same in SQLite and PostgreSQL.

What is written at random places (`terms`) is written within one segment, so that an append costs the same however
large the log is. `records`, `search` and `terms` are what an erasure removes; `entries` and `nodes` are the tree, of
which nothing ever changes.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
)

FORMAT: Final = 1

METADATA: Final = MetaData()


def _table(name: str, *columns: Column[int] | Column[str] | Column[bytes], rowid: bool = True) -> Table:
    # Without a row number of its own a table of SQLite is its primary key's tree and nothing else.
    return Table(name, METADATA, *columns, sqlite_with_rowid=rowid)


def _key(name: str) -> Column[int]:
    # INTEGER is what SQLite stores by; to PostgreSQL it has to be said that it is a large one.
    return Column(
        name, BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False, nullable=False
    )


META: Final = _table(
    "meta",
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""The format, the bus and the origin: a store belongs to one log."""

TREE: Final = _table(
    "tree",
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    Column("epoch", BigInteger, nullable=False),
)
"""One row: how large the tree is, its edge, and how often a writer opened the store."""

PLACES: Final = _table(
    "places",
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("next_offset", BigInteger, nullable=False),
    Column("counter", BigInteger, nullable=False),
    Column("chain", LargeBinary, nullable=False),
)

ENTRIES: Final = _table(
    "entries",
    _key("idx"),
    Column("entry", LargeBinary, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("counter", BigInteger, nullable=False),
    Column("ledger_offset", BigInteger, nullable=False),
)

NODES: Final = _table(
    "nodes",
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
    rowid=False,
)
"""The hashes of the tiles above the lowest, whose own are those of `entries`."""

RECORDS: Final = _table(
    "records",
    _key("idx"),
    Column("salt", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("decision", LargeBinary, nullable=False),
    Column("path", LargeBinary, nullable=False),
    Column("root", LargeBinary, nullable=False),
)

SEARCH: Final = _table(
    "search",
    _key("idx"),
    Column("event", LargeBinary, nullable=False),
    Column("subject", Text),
    Column("referral", Text),
    Column("verb", Text),
    Column("source", Text),
    Column("admitted_ms", BigInteger, nullable=False, index=True),
    Column("code", Text, nullable=False),
    Column("accepted", SmallInteger, nullable=False),
)

TERMS: Final = _table(
    "terms",
    Column("segment", Integer, primary_key=True, autoincrement=False),
    Column("term", SmallInteger, primary_key=True, autoincrement=False),
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    rowid=False,
)

CHECKPOINTS: Final = _table(
    "checkpoints",
    _key("size"),
    Column("root", LargeBinary, nullable=False),
    Column("note", LargeBinary, nullable=False),
    Column("kept_ms", BigInteger, nullable=False),
)
"""The newest, and one of each hour."""
