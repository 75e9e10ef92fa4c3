"""
The trail of a case from what the store keeps: its leaves, each with its path to the root of a checkpoint.

Nothing is judged here: `referral_contracts.trail` does that, of these leaves as of any others.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple

from audit_log.core.reading import about
from referral_contracts.directory import Directory
from referral_contracts.encoding import lp, parse_json
from referral_contracts.errors import RemoteError
from referral_contracts.log.erasing import ERASED, signing
from referral_contracts.log.leaf import Statement, entry, read_record
from referral_contracts.log.proofs import HashReader, inclusion_proof
from referral_contracts.trail.bundle import Sealed
from referral_contracts.trail.leaves import TrailLeaf

MOST_LEAVES: Final = 15_000
"""Of one trail: about as many as go into one bundle."""


class Kept(NamedTuple):
    """A leaf as the store has it; without its parts where it was erased."""

    leaf: int
    entry: bytes
    salt: bytes | None
    signature: bytes | None
    value: bytes | None
    decision: bytes | None
    path: bytes | None
    root: bytes | None

    @property
    def record(self) -> bytes | None:
        """What is hashed, with the salt, into the entry."""
        if self.salt is None:
            return None
        parts = (self.signature, self.value, self.decision, self.path, self.root)
        return lp(*(part or b"" for part in parts))


def seal(kept: Iterable[Kept], size: int, read: HashReader) -> list[Sealed]:
    """
    Return the leaves *kept* with their paths in the tree of *size*.

    Raises:
        RemoteError: MALFORMED_RECORD, BAD_TILE: the store's own bytes were changed.
    """
    return [
        Sealed(
            leaf=TrailLeaf(
                index=one.leaf,
                proof=tuple(inclusion_proof(one.leaf, size, read)),
                # What is still there has to give the entry: the store's own word for it is not taken.
                entry=one.entry if one.record is None else entry(one.salt or b"", one.record),
                record=None if one.record is None else read_record(one.record),
            ),
            salt=one.salt or b"",
        )
        for one in kept
    ]


def erased_in(kept: Iterable[Kept]) -> set[int]:
    """Return the leaves that statements among *kept* say were erased: nothing else tells any more whose they are."""
    found: set[int] = set()
    for one in kept:
        if one.value and not one.decision:
            found.update(_named(one.value))
    return found


def _named(value: bytes) -> Sequence[int]:
    try:
        told = parse_json(value)
    except RemoteError:
        return ()
    leaves = told.get("leaves") if isinstance(told, dict) and told.get("kind") == ERASED else None
    return [leaf for leaf in leaves if isinstance(leaf, int)] if isinstance(leaves, list) else ()


def agencies_in(kept: Iterable[Kept], directory: Directory) -> Collection[str]:
    """Return who is named in the leaves, or stated one, for the part of the *directory* that goes with them."""
    found: set[str] = set()
    for one in kept:
        if one.value and one.decision:
            told = about(one.value)
            found.update(() if told is None else told.parties)
        elif one.value and one.signature:
            stated = Statement(signatures=tuple(one.signature.split(b"\n")), value=one.value)
            found |= signing(stated, directory)
    return found
