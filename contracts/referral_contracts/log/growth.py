"""
How the tree grows: all that has to be remembered of it to append is its right edge.

`Frontier.grow` hashes each new leaf's ancestors once, level by level for a whole batch, and tells which hashes of
complete subtrees came to be, for the tiles that they belong to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Self

from referral_contracts.codes import Code
from referral_contracts.errors import LocalError
from referral_contracts.log.proofs import MAX_SIZE, fold
from referral_contracts.merkle import HASH_SIZE

_NODE: Final = b"\x01"
_TILE_HEIGHT: Final = 8


@dataclass(frozen=True, slots=True)
class Frontier:
    """The right edge of a tree: the complete subtrees that its leaves fall into, one for each set bit of the size."""

    size: int
    hashes: tuple[bytes, ...]
    """Their tops, from the left: the largest first."""

    @classmethod
    def empty(cls) -> Self:
        return cls(0, ())

    def root(self) -> bytes:
        """Return the root of the whole tree."""
        return fold(self.hashes)

    def grow(self, leaf_hashes: Sequence[bytes]) -> tuple["Frontier", tuple[bytes, ...]]:
        """
        Return the edge after *leaf_hashes*, and for each tile level what the tiles of that level get.

        Number L of these is a concatenation of hashes; the first of them is number ``size >> 8 * L`` of its level,
        *size* being that before. Levels that get nothing are left out at the end.

        Raises:
            LocalError: OVERSIZE.
        """
        size = self.size + len(leaf_hashes)
        if size > MAX_SIZE:
            raise LocalError(Code.OVERSIZE, "no tree has so many leaves")
        # From the right, so that the subtree of the lowest level is the next to take.
        edge, kept = list(self.hashes), list[bytes]()
        gained: list[bytes] = []
        fresh, level = leaf_hashes, 0
        while fresh:
            if level % _TILE_HEIGHT == 0:
                gained.append(b"".join(fresh))
            nodes = [edge.pop(), *fresh] if self.size >> level & 1 else fresh
            if len(nodes) % 2:
                kept.append(nodes[-1])
            fresh = [
                sha256(_NODE + left + right).digest() for left, right in zip(nodes[::2], nodes[1::2], strict=False)
            ]
            level += 1
        return Frontier(size, (*edge, *reversed(kept))), tuple(gained)

    def encode(self) -> bytes:
        """Return the edge's bytes: u64 size, then the hashes."""
        return self.size.to_bytes(8, "big") + b"".join(self.hashes)

    @classmethod
    def decode(cls, value: bytes) -> Self:
        """
        Return the edge that `encode` wrote.

        Raises:
            LocalError: STATE_FORMAT.
        """
        size = int.from_bytes(value[:8], "big")
        if len(value) != 8 + HASH_SIZE * size.bit_count() or size > MAX_SIZE:
            raise LocalError(Code.STATE_FORMAT, "not the edge of a tree")
        return cls(size, tuple(value[at : at + HASH_SIZE] for at in range(8, len(value), HASH_SIZE)))
