"""
Proofs about a growing tree (RFC 6962 section 2.1): a leaf is in it, a larger one begins with a smaller one.

Whoever makes a proof asks for hashes of complete subtrees; where they lie is the reader's business: see `tiles`.
Whoever checks one needs nothing but the proof and the roots.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from hashlib import sha256
from hmac import compare_digest
from typing import Final, TypeAlias

from referral_contracts import merkle
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError, RemoteError, Tampered
from referral_contracts.merkle import HASH_SIZE, node_hash

EMPTY_ROOT: Final = sha256(b"").digest()
"""The root over nothing."""
MAX_SIZE: Final = 2**63 - 1
"""No tree has more leaves: tile levels end at 63, and others count in signed 64 bits."""


@dataclass(frozen=True, slots=True)
class Node:
    """The top of a complete subtree: of ``2**level`` leaves, the first of them number ``index * 2**level``."""

    level: int
    index: int


HashReader: TypeAlias = Callable[[Sequence[Node]], Sequence[bytes]]
"""Returns the hashes of these nodes, in their order; every node lies whole within the tree."""


def subtrees(start: int, end: int) -> list[Node]:
    """Return the complete subtrees that the leaves from *start* to before *end* fall into, from the left."""
    found = []
    while start < end:
        level = (end - start).bit_length() - 1
        found.append(Node(level, start >> level))
        start += 1 << level
    return found


def fold(hashes: Sequence[bytes]) -> bytes:
    """Return the root over adjoining complete subtrees, each smaller than the one before."""
    if not hashes:
        return EMPTY_ROOT
    return reduce(lambda right, left: node_hash(left, right), reversed(hashes))


def tree_root(size: int, read: HashReader) -> bytes:
    """Return the root of the tree of the first *size* leaves."""
    return fold(read(subtrees(0, size)))


def inclusion_proof(index: int, size: int, read: HashReader) -> list[bytes]:
    """
    Return the path of the leaf *index* in the tree of *size* (RFC 6962 section 2.1.1).

    Raises:
        LocalError: BAD_PROOF: there is no such leaf.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise LocalError(Code.BAD_PROOF, "no such leaf in a tree of this size")
    return _hashes(_beside(index, index + 1, size), read)


def consistency_proof(old: int, new: int, read: HashReader) -> list[bytes]:
    """
    Return what proves that the tree of *new* leaves begins with that of *old* (RFC 6962 section 2.1.2).

    Raises:
        LocalError: BAD_PROOF: the old one is the larger.
    """
    if not 0 <= old <= new <= MAX_SIZE:
        raise LocalError(Code.BAD_PROOF, "a tree does not shrink")
    if old in {0, new}:
        return []
    return _hashes(_beside(None, old, new), read)


def _beside(leaf: int | None, end: int, size: int) -> list[tuple[int, int]]:
    """
    Return the ranges of leaves that the walk from the top down leaves aside, the lowest first.

    The walk goes to the range that *end* ends: for a *leaf* down to that leaf, else only until the range ends there,
    and then that range is one of them, unless it is the old tree itself, whose root who checks has already.
    """
    start, stop = 0, size
    aside: list[tuple[int, int]] = []
    while stop != end or (leaf is not None and start != leaf):
        middle = start + (1 << (stop - start - 1).bit_length() - 1)
        if end <= middle:
            aside.append((middle, stop))
            stop = middle
        else:
            aside.append((start, middle))
            start = middle
    if leaf is None and start:
        aside.append((start, stop))
    aside.reverse()
    return aside


def _hashes(ranges: Sequence[tuple[int, int]], read: HashReader) -> list[bytes]:
    parts = [subtrees(start, end) for start, end in ranges]
    # One request for all of them: a reader that fetches tiles then fetches each once.
    found = iter(read([node for part in parts for node in part]))
    return [fold([next(found) for _ in part]) for part in parts]


def verify_inclusion(leaf: bytes, index: int, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """
    Return if *proof* shows that the leaf with the hash *leaf* is number *index* of the *size* under *root*.

    Raises:
        RemoteError: BAD_PROOF.
    """
    if not 0 <= size <= MAX_SIZE:
        raise RemoteError(Code.BAD_PROOF, "no tree has this size")
    _demand_hashes(proof)
    try:
        merkle.verify_path(leaf, index, size, b"".join(proof), root)
    except RemoteError as error:
        raise RemoteError(Code.BAD_PROOF, error.detail) from error


def verify_consistency(old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """
    Return if *proof* shows that the new tree begins with all of the old one (RFC 9162 section 2.1.4.2).

    Raises:
        RemoteError: BAD_PROOF: it shows nothing of the kind.
        Tampered: LOG_ROLLBACK: the new tree is smaller. LOG_FORK: two trees of one size.
    """
    if not (0 <= old_size <= MAX_SIZE and 0 <= new_size <= MAX_SIZE):
        raise RemoteError(Code.BAD_PROOF, "no tree has this size")
    _demand_hashes([old_root, new_root, *proof])
    if new_size < old_size:
        raise Tampered(Code.LOG_ROLLBACK, "the new tree is smaller than the old one")
    if old_size in {0, new_size}:
        _verify_trivial(old_size, old_root, new_size, new_root, proof)
        return
    old_found, new_found = _roots_of(old_size, old_root, new_size, proof)
    if not (compare_digest(old_found, old_root) and compare_digest(new_found, new_root)):
        raise RemoteError(Code.BAD_PROOF, "the proof does not lead to the two roots")


def _verify_trivial(old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    if proof:
        raise RemoteError(Code.BAD_PROOF, "nothing is to be proven of such sizes")
    for size, root in ((old_size, old_root), (new_size, new_root)):
        if not size and root != EMPTY_ROOT:
            raise RemoteError(Code.BAD_PROOF, "the root over nothing is the hash of nothing")
    if old_size == new_size and old_root != new_root:
        raise Tampered(Code.LOG_FORK, "two trees of one size")


def _roots_of(old_size: int, old_root: bytes, new_size: int, proof: Sequence[bytes]) -> tuple[bytes, bytes]:
    # The old tree's root stands for itself where the old tree is complete: the proof then leaves it out.
    complete = not old_size & (old_size - 1)
    hashes: Iterator[bytes] = iter([old_root, *proof] if complete else proof)
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node >>= 1
        last >>= 1
    start = next(hashes, None)
    if start is None:
        raise RemoteError(Code.BAD_PROOF, "the proof is too short")
    old, new = start, start
    for sibling in hashes:
        if last == 0:
            raise RemoteError(Code.BAD_PROOF, "the proof is too long")
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            new = node_hash(new, sibling)
        node >>= 1
        last >>= 1
    if last:
        raise RemoteError(Code.BAD_PROOF, "the proof is too short")
    return old, new


def _demand_hashes(hashes: Sequence[bytes]) -> None:
    if any(len(one) != HASH_SIZE for one in hashes):
        raise RemoteError(Code.BAD_PROOF, "not hashes")
