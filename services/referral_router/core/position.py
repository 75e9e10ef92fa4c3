"""The reserved record of a partition's state: where to go on, and what the next decision follows."""

from dataclasses import dataclass
from typing import Final, Self

from pydantic_core import from_json

from referral_contracts.codes import Code
from referral_contracts.decisions import NO_DECISION
from referral_contracts.encoding import b64, jcs, unb64
from referral_contracts.errors import Fatal, RemoteError

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
        return jcs(
            {
                "admitted_ms": self.admitted_ms,
                "chain": b64(self.chain),
                "counter": self.counter,
                "directory": self.directory,
                "floor_ms": self.floor_ms,
                "format": FORMAT,
                "position": self.position,
            }
        )

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
