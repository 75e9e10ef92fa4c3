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
    MetaData,
    SmallInteger,
    Table,
)

from audit_log.store.cells import Bytes, Number, Words

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
    Column("name", Words(), primary_key=True),
    Column("value", Words(), nullable=False),
)
"""The format, the bus and the origin: a store belongs to one log."""
UNSCRUBBED: Final = "unscrubbed"
"""In it: something was erased and not overwritten since; its value is the size of the log after it."""

TREE: Final = _table(
    "tree",
    Column("id", Number(SmallInteger), primary_key=True, autoincrement=False),
    Column("size", Number(BigInteger), nullable=False),
    Column("frontier", Bytes(), nullable=False),
    Column("epoch", Number(BigInteger), nullable=False),
)
"""One row: how large the tree is, its edge, and how often a writer opened the store."""

PLACES: Final = _table(
    "places",
    Column("partition", Number(Integer), primary_key=True, autoincrement=False),
    Column("next_offset", Number(BigInteger), nullable=False),
    Column("counter", Number(BigInteger), nullable=False),
    Column("chain", Bytes(), nullable=False),
)

ENTRIES: Final = _table(
    "entries",
    _key("idx"),
    Column("entry", Bytes(), nullable=False),
    Column("kind", Number(SmallInteger), nullable=False),
    Column("partition", Number(Integer), nullable=False),
    Column("counter", Number(BigInteger), nullable=False),
    Column("ledger_offset", Number(BigInteger), nullable=False),
)

NODES: Final = _table(
    "nodes",
    Column("level", Number(SmallInteger), primary_key=True, autoincrement=False),
    Column("idx", Number(BigInteger), primary_key=True, autoincrement=False),
    Column("hash", Bytes(), nullable=False),
    rowid=False,
)
"""The hashes of the tiles above the lowest, whose own are those of `entries`."""

RECORDS: Final = _table(
    "records",
    _key("idx"),
    Column("salt", Bytes(), nullable=False),
    Column("signature", Bytes(), nullable=False),
    Column("value", Bytes(), nullable=False),
    Column("decision", Bytes(), nullable=False),
    Column("path", Bytes(), nullable=False),
    Column("root", Bytes(), nullable=False),
)

SEARCH: Final = _table(
    "search",
    _key("idx"),
    Column("event", Bytes(), nullable=False),
    Column("subject", Words()),
    Column("referral", Words()),
    Column("verb", Words()),
    Column("source", Words()),
    Column("admitted_ms", Number(BigInteger), nullable=False, index=True),
    Column("code", Words(), nullable=False),
    Column("accepted", Number(SmallInteger), nullable=False),
)

TERMS: Final = _table(
    "terms",
    Column("segment", Number(Integer), primary_key=True, autoincrement=False),
    Column("term", Number(SmallInteger), primary_key=True, autoincrement=False),
    Column("key", Number(BigInteger), primary_key=True, autoincrement=False),
    Column("idx", Number(BigInteger), primary_key=True, autoincrement=False),
    rowid=False,
)

CHECKPOINTS: Final = _table(
    "checkpoints",
    _key("size"),
    Column("root", Bytes(), nullable=False),
    Column("note", Bytes(), nullable=False),
    Column("kept_ms", Number(BigInteger), nullable=False),
)
"""The newest, and one of each hour."""
