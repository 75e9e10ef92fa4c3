"""
How the process treats its memory: two settings of the runtime, made once at the start.

Neither changes what the process does. Both are here because they were measured, on events of 13 KB to three agencies.
"""

import contextlib
import ctypes
import gc
from typing import Final

_COLLECT_AFTER: Final = 400_000
"""New containers before the collector looks for cycles among them: more than the batches of four lanes hold, which
leave no cycle. At CPython's 700 the collector took an eighth of the processor time of an event; at 100,000 it came
twice in 8,000 events and took a tenth, all of it looking through what was in use."""

_KEPT: Final = 128 * 1024 * 1024
"""Free memory that the process keeps for its next requests, a few megabytes each. Given back and asked for again it
comes with a page fault for every 4 KB: a quarter of the time that sending took."""

# From malloc.h of the C library of GNU; another one has no such function, and then this is left alone.
_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_MMAP_MOST: Final = 32 * 1024 * 1024
"""The largest threshold it takes: what is larger is still mapped by itself."""


def settle() -> None:
    """Make the settings. What exists by now (modules, models) is no longer looked at by the collector."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 10, 100)
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_TRIM_THRESHOLD, _KEPT)
        mallopt(_MMAP_THRESHOLD, _MMAP_MOST)
