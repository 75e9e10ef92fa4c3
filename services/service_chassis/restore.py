"""
A partition's state, read from its state topic up to an end that was asked for behind the fence.

A whole state and the tail after an absence are read the same way; so is the tail after an unknown outcome: whatever is
there has happened, whatever is not has not.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

from referral_contracts.codes import Code
from referral_contracts.errors import Fatal
from referral_contracts.topics import POSITION_KEY
from service_chassis.decoding import Entry
from service_chassis.fold import Fold
from service_chassis.reader import PartitionReader

_EMPTY_ANSWERS: Final = 3
"""So many times nothing, although the end is further on: compaction has taken what was there."""
_YIELD_EVERY: Final = 1_000
"""Some 3 ms of work."""


async def restore(
    fold: Fold[Any],
    reader: PartitionReader,
    start: int | None,
    *,
    patience_s: float,
    reached: Callable[[int], None],
    tell: Callable[[Code], None],
) -> None:
    """
    Bring *fold* from *start* (None: it is empty) to the end of the partition.

    Args:
        patience_s: How long somebody's open transaction may keep us from knowing the end.
        reached: Is told where to go on if this is cut off: to take a record a second time does no harm.
        tell: Is told why the end is being waited for.

    Raises:
        Fatal: Something has been cut off, or the records contradict each other.
    """
    end = await _settled_end(reader, patience_s, tell)
    first = (await reader.span()).start
    if first > (start or 0):
        # Compaction keeps the start of the log. Somebody has deleted records, or lets the broker delete them.
        raise Fatal(Code.POSITION_LOST, "the beginning of the state is gone")
    offset, read, yielded, last, empty = start or 0, 0, 0, -1, 0
    while offset < end and empty < _EMPTY_ANSWERS:
        empty += 1
        for piece in await reader.entries(offset, wait_ms=100):
            for nth in range(0, len(piece.records), _YIELD_EVERY):
                taken = piece.records[nth : nth + _YIELD_EVERY]
                last = _take(fold, taken, last)
                read += len(taken)
                if read - yielded >= _YIELD_EVERY:
                    # A long restore shares the loop with the heartbeats and with the other partitions.
                    yielded = read
                    await asyncio.sleep(0)
            offset, empty = piece.next_offset, 0
            reached(offset)
    if read and fold.position() is None:
        raise Fatal(Code.POSITION_MISSING, "a state without the position it belongs to")
    reached(max(offset, end))


def _take(fold: Fold[Any], entries: Sequence[Entry], last: int) -> int:
    """Give *entries* to *fold*; return the last position among them, or *last*, the one before."""
    for _, key, value in entries:
        if key is None:
            raise Fatal(Code.STATE_FORMAT, "a state record without a key")
        if key == POSITION_KEY and value is not None:
            position = fold.position_in(value)
            if position < last:
                raise Fatal(Code.STATE_FORMAT, "positions that go back: two owners at a time")
            last = position
        fold.restore(key, value)
    return last


async def _settled_end(reader: PartitionReader, patience_s: float, tell: Callable[[Code], None]) -> int:
    """
    Return the end of what is committed, once nothing is open.

    Fencing has ended our own transactions. Anybody else's would hide what we committed behind it, and so would one
    that the broker forgot to mark as ended (KAFKA-20734): resuming before that would do it all a second time.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + patience_s
    while True:
        stable = (await reader.span()).end
        if stable >= await reader.high_watermark():
            return stable
        tell(Code.TOPIC_MISCONFIGURED)
        if loop.time() > until:
            raise Fatal(Code.TOPIC_MISCONFIGURED, "a transaction in the state topic does not end")
        await asyncio.sleep(0.1)
