"""The reserved record of a partition's state: where to go on, what the next decision follows, how late it is there."""

from dataclasses import dataclass
from typing import Final, Self

from pydantic_core import from_json

from referral_contracts.codes import Code
from referral_contracts.decisions import NO_DECISION
from referral_contracts.encoding import b64, jcs, unb64
from referral_contracts.errors import Fatal, RemoteError

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
        numbers = {name: getattr(self, name) for name in _NUMBERS}
        return jcs({**numbers, "chain": b64(self.chain), "format": FORMAT})

    @classmethod
    def decode(cls, value: bytes) -> Self:
        """
        Return the position that a reserved record holds.

        Raises:
            Fatal: Not of this format.
        """
        try:
            told = from_json(value)
            if told.pop("format") != FORMAT:
                raise Fatal(Code.STATE_FORMAT, "a position of another format")
            numbers = {name: told.pop(name) for name in _NUMBERS}
            chain = unb64(told.pop("chain"), 32)
            if told or any(type(number) is not int or number < 0 for number in numbers.values()):
                raise Fatal(Code.STATE_FORMAT, "a position of another format")
            return cls(chain=chain, **numbers)
        except (ValueError, KeyError, TypeError, AttributeError, RemoteError) as error:
            raise Fatal(Code.STATE_FORMAT, "a position of another format") from error
