"""The leaves of a case as a trail is made from them: each with its place in the tree, and what is still under it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from referral_contracts.log.leaf import LedgerEntry, Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailLeaf:
    """One leaf of the log."""

    index: int
    proof: tuple[bytes, ...] = field(repr=False)
    """The hashes that lead from it to the root of the checkpoint."""
    entry: bytes = field(repr=False)
    """The 32 bytes that the tree has of it. Where there is a record, they were computed from it."""
    record: LedgerEntry | Statement | None = field(repr=False)
    """None: it was erased."""


@dataclass(frozen=True, slots=True)
class SectionKey:
    """Which section of which event: the number of its leaf, and that of the section."""

    index: int
    section: int


Disclosed = Mapping[SectionKey, bytes]
"""The content keys that holders of sections have disclosed."""
