"""
What the log needs of a store, and what a store promises.

A store is trusted with what it keeps sealed and with being there; it is not trusted with the tree. Whoever changes it
can stop the log, and is found out: checkpoints, witnesses and receipts lie elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from audit_log.core.growing import Batch
from audit_log.core.places import Place
from referral_contracts.log.growth import Frontier


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint as it was signed."""

    size: int
    root: bytes
    note: bytes


@dataclass(frozen=True, slots=True)
class State:
    """All that a writer goes on from."""

    frontier: Frontier
    places: Mapping[int, Place]
    checkpoint: Signed | None
    """The newest."""


class Store(Protocol):
    """
    The one writer's side. Its methods may be called from two threads at a time.

    Each raises `LocalError` with DISK_FULL, READ_ONLY or STORE_AWAY for what may pass: whether a write took effect is
    then unknown, and `state` tells. Each raises `Fatal` with LOG_BUSY once another process writes.
    """

    def state(self) -> State:
        """Return what is durable: what every later call will find, whatever process makes it."""

    def append(self, batch: Batch) -> None:
        """
        Store *batch* whole, and remove what it erases; it is durable when this returns.

        Raises:
            Fatal: LOG_BUSY: the tree has another size than *batch* is made for.
        """

    def sign(self, checkpoint: Signed, at_ms: int) -> None:
        """
        Make *checkpoint* the newest; it is durable when this returns. The same once more changes nothing.

        Raises:
            Fatal: LOG_ROLLBACK: there is a larger one. LOG_FORK: one of the same size with another root.
        """

    def scrub(self) -> None:
        """
        Overwrite what was erased, unless that was done since the last erasure; done when this returns.

        Raises:
            LocalError: STORE_BUSY: somebody still reads what was erased, so that it is still there.
        """

    def hashes(self, level: int, start: int, end: int) -> Sequence[bytes]:
        """
        Return what the tiles of *level* have at *start* to before *end*; at level 0 the entries themselves.

        Raises:
            Fatal: LOG_FORK: one is missing that the tree has.
        """

    def close(self) -> None:
        """Let the next writer in."""
