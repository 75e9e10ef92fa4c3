"""The reserved record of a partition's state: where to go on, what the next decision follows, how late it is there."""

from dataclasses import dataclass
from typing import Final, Self

from referral_contracts.decisions import NO_DECISION
from referral_contracts.reserved import read_reserved, write_reserved

FORMAT: Final = 1
"""Of the position and of the cases beside it."""

_NUMBERS: Final = ("admitted_ms", "counter", "directory", "position", "ticked_ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far a partition of the ledger has been read."""

    position: int = 0
    """The next offset."""
    admitted_ms: int = 0
    """When the last event was admitted that was read."""
    ticked_ms: int = 0
    """When the last tick was: what was submitted up to then has been judged, and read. Nothing is due beyond it."""
    chain: bytes = NO_DECISION
    """The hash of the last decision."""
    counter: int = 0
    """How many decisions there are."""
    directory: int = 0
    """The newest version of the directory that a decision was made by."""

    def encode(self) -> bytes:
        """Return the reserved record, before it is encrypted."""
        return write_reserved({name: getattr(self, name) for name in _NUMBERS}, self.chain, FORMAT)

    @classmethod
    def decode(cls, value: bytes) -> Self:
        """
        Return the position that a reserved record holds.

        Raises:
            Fatal: Not of this format.
        """
        numbers, chain = read_reserved(value, _NUMBERS, FORMAT)
        return cls(chain=chain, **numbers)
