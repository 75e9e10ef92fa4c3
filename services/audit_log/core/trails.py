"""
The trail of a case from what the store keeps: its leaves, each with its path to the root of a checkpoint.

Nothing is judged here: `referral_contracts.trail` does that, of these leaves as of any others.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from audit_log.core.reading import about
from referral_contracts.directory import Directory
from referral_contracts.encoding import MAX_INTEGER, lp, parse_json
from referral_contracts.errors import RemoteError
from referral_contracts.log.access import ACCESSED
from referral_contracts.log.erasing import ERASED, signing
from referral_contracts.log.leaf import Statement, entry, read_record
from referral_contracts.log.proofs import HashReader, inclusion_proof
from referral_contracts.trail.bundle import Sealed
from referral_contracts.trail.leaves import TrailLeaf

MOST_LEAVES: Final = 15_000
"""Of one trail: about as many as go into one bundle."""
MOST_READS: Final = 1_000
"""Of those that say who has read the case, which come besides: the newest."""


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
    told = _told(value)
    leaves = told.get("leaves") if told.get("kind") == ERASED else None
    found = leaves if isinstance(leaves, list) else ()
    return [leaf for leaf in found if isinstance(leaf, int) and 0 <= leaf <= MAX_INTEGER]


def reader_in(one: Kept) -> str | None:
    """Return who has read the case, by the statement in *one*; None: it says something else."""
    told = _told(one.value) if one.value and not one.decision else {}
    by = told.get("by") if told.get("kind") == ACCESSED else None
    return by if isinstance(by, str) else None


def _told(value: bytes) -> Mapping[str, object]:
    try:
        told = parse_json(value)
    except RemoteError:
        return {}
    return told if isinstance(told, dict) else {}


def agencies_in(kept: Iterable[Kept], directory: Directory) -> Collection[str]:
    """Return who is named in the leaves, stated one or has read: whose part of the *directory* goes with them."""
    found: set[str] = set()
    for one in kept:
        if one.value and one.decision:
            told = about(one.value)
            found.update(() if told is None else told.parties)
        elif one.value and one.signature:
            stated = Statement(signatures=tuple(one.signature.split(b"\n")), value=one.value)
            reader = reader_in(one)
            found |= signing(stated, directory) | (set() if reader is None else {reader})
    return found
