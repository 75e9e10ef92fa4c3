"""The reserved record of a partition's state: where to go on, and what the next decision follows."""

from dataclasses import dataclass
from typing import Final, Self

from referral_contracts.decisions import NO_DECISION
from referral_contracts.reserved import read_reserved, write_reserved

FORMAT: Final = 5
"""Of the position and of the cases beside it."""

_NUMBERS: Final = ("admitted_ms", "counter", "directory", "floor_ms", "position")


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far a partition has been judged."""

    position: int = 0
    """The next input offset."""
    admitted_ms: int = 0
    """The last time given to an event: never goes back."""
    chain: bytes = NO_DECISION
    """The hash of the last decision."""
    counter: int = 0
    """How many decisions there are."""
    directory: int = 0
    """The version of the directory that the last batch was judged by."""
    floor_ms: int = 0
    """What was signed before is too old, whatever the window is by now: its claim is forgotten. Never goes back."""

    def encode(self) -> bytes:
        """Return the reserved record's value."""
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
