"""Where the log is kept: SQLite beside it, or PostgreSQL."""

from audit_log.store.opening import open_reader, open_snapshot, open_store
from audit_log.store.store import Signed, State, Store

__all__ = ["Signed", "State", "Store", "open_reader", "open_snapshot", "open_store"]
