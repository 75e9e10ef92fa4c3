"""How much of the ledger may go: what is safe in the log, has been read by whoever else reads it, and is old enough."""

from collections.abc import Iterable

DAY_MS = 86_400_000
EVERY_MS = 3_600_000
"""How often it is looked for."""


def deletable(durable: int, aged: int, read: Iterable[int | None]) -> int:
    """
    Return the offset of a partition before which its records may be deleted.

    Args:
        durable: Where the log's stored position stands.
        aged: The first record that is not old enough.
        read: How far each of the others has read; None: it has not said so yet, and nothing may go.
    """
    return max(0, min([durable, aged, *(0 if offset is None else offset for offset in read)]))
