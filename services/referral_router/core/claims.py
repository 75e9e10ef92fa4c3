"""
The ids that one sender has used on a case, and what was decided of each.

They stay packed, as the state record holds them: a case may have a thousand, and an event asks for one. A million
cases are held in memory as their records; packed a claim takes 97 bytes there, as JSON it took some 165.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from referral_contracts.encoding import b64
from referral_router.core.refs import spelled, undigested, unspelled

_ENTRY: Final = struct.Struct(">16s32s32sQQB")
"""Id, event, decision, counter, last time, and which of the codes."""
_LAST_MS: Final = struct.Struct(">88xQx")
SIZE: Final = _ENTRY.size


class Claim(NamedTuple):
    """What was decided of an id."""

    event: str
    code: str
    counter: int
    decision: bytes
    last_ms: int
    """The later of the event's own time and its admission: it is remembered until that lies below the floor."""


class Claims:
    """One sender's ids."""

    __slots__ = ("_codes", "_packed")

    def __init__(self, packed: bytes = b"", codes: Iterable[str] = ()) -> None:
        """
        Take what a state record holds.

        Raises:
            ValueError: It holds no claims.
        """
        # The last byte of each.
        named = packed[SIZE - 1 :: SIZE]
        self._packed = packed
        self._codes = list(codes)
        if len(packed) % SIZE or (named and max(named) >= len(self._codes)):
            raise ValueError("not claims")

    @property
    def packed(self) -> bytes:
        """All of them, for the state record."""
        return self._packed

    @property
    def codes(self) -> Sequence[str]:
        """What they refer to by number: a code keeps its number as long as there are claims."""
        return self._codes

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._packed) // SIZE

    def __iter__(self) -> Iterator[str]:
        """Go through the ids, first used first."""
        for entry in _ENTRY.iter_unpack(self._packed):
            yield spelled(entry[0])

    def find(self, event_id: str) -> Claim | None:
        """Return what was decided of *event_id*."""
        wanted = unspelled(event_id)
        at = self._packed.find(wanted)
        # A sender chooses what it hashes, so the same bytes may lie elsewhere, too.
        while at >= 0 and at % SIZE:
            at = self._packed.find(wanted, at + 1)
        if at < 0:
            return None
        _, event, decision, counter, last_ms, code = _ENTRY.unpack_from(self._packed, at)
        return Claim(b64(event), self._codes[code], counter, decision, last_ms)

    def add(self, event_id: str, claim: Claim) -> None:
        """Remember an id that is not among them."""
        if claim.code not in self._codes:
            self._codes.append(claim.code)
        told = (undigested(claim.event), claim.decision, claim.counter, claim.last_ms, self._codes.index(claim.code))
        self._packed += _ENTRY.pack(unspelled(event_id), *told)

    def count(self, floor_ms: int) -> int:
        """Return how many are not below the floor."""
        return sum(last_ms >= floor_ms for (last_ms,) in _LAST_MS.iter_unpack(self._packed))

    def prune(self, floor_ms: int) -> None:
        """Forget those below the floor."""
        if self.count(floor_ms) == len(self):
            return
        entries = (self._packed[at : at + SIZE] for at in range(0, len(self._packed), SIZE))
        self._packed = b"".join(entry for entry in entries if _LAST_MS.unpack(entry)[0] >= floor_ms)
