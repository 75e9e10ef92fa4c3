"""
The Merkle tree of RFC 6962 section 2.1: roots, and paths that prove a leaf is under one.

Arithmetic on hashes only; what a leaf means, and who signed the root, is `decisions`' and the log's business.
A path is the concatenation of its 32-byte hashes, from the leaf's sibling upwards.
"""

from collections.abc import Sequence
from hashlib import sha256
from hmac import compare_digest
from typing import Final

from referral_contracts.codes import Code
from referral_contracts.errors import RemoteError

HASH_SIZE: Final = 32
_LEAF: Final = b"\x00"
_NODE: Final = b"\x01"
"""A leaf and a node start differently, so that no node can be shown as a leaf (RFC 6962 section 2.1)."""


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf."""
    return sha256(_LEAF + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return sha256(_NODE + left + right).digest()


def root(leaf_hashes: Sequence[bytes]) -> bytes:
    """Return the root over *leaf_hashes*; over none it is the hash of nothing."""
    return levels(leaf_hashes)[-1][0] if leaf_hashes else sha256(b"").digest()


def paths(leaf_hashes: Sequence[bytes]) -> tuple[bytes, list[bytes]]:
    """
    Return the root over *leaf_hashes* and the path of each leaf.

    From the root down, each node's path is its sibling and then its parent's path: one concatenation per node.
    """
    if not leaf_hashes:
        return root(leaf_hashes), []
    tree = levels(leaf_hashes)
    above = [b""]
    for level in reversed(tree[:-1]):
        below: list[bytes] = []
        extend = below.extend
        for left, right, path in zip(level[::2], level[1::2], above, strict=False):
            extend((right + path, left + path))
        if len(level) % 2:
            below.append(above[-1])
        above = below
    return tree[-1][0], above


def levels(leaf_hashes: Sequence[bytes]) -> list[Sequence[bytes]]:
    """Return every level of the tree over *leaf_hashes*, of which there is one at least: the root's is the last."""
    # Pairing from the left and passing an odd last hash up unchanged gives the tree that RFC 6962 defines by
    # splitting at the largest power of two below the size.
    level = leaf_hashes
    found = [level]
    while len(level) > 1:
        above = [sha256(_NODE + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=False)]
        if len(level) % 2:
            above.append(level[-1])
        level = above
        found.append(level)
    return found


def root_from_path(leaf: bytes, index: int, size: int, path: bytes) -> bytes:
    """
    Return the root that *path* leads to from the hash *leaf* at *index* of *size* (RFC 9162 section 2.1.3.2).

    Raises:
        RemoteError: BAD_DECISION: such a tree has no path of this length there.
    """
    if not 0 <= index < size or len(path) % HASH_SIZE or len(leaf) != HASH_SIZE:
        raise RemoteError(Code.BAD_DECISION, "not a path")
    node, last, found = index, size - 1, leaf
    for start in range(0, len(path), HASH_SIZE):
        if last == 0:
            raise RemoteError(Code.BAD_DECISION, "the path is too long")
        sibling = path[start : start + HASH_SIZE]
        if node & 1 or node == last:
            found = node_hash(sibling, found)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            found = node_hash(found, sibling)
        node >>= 1
        last >>= 1
    if last:
        raise RemoteError(Code.BAD_DECISION, "the path is too short")
    return found


def verify_path(leaf: bytes, index: int, size: int, path: bytes, expected_root: bytes) -> None:
    """
    Return if *path* proves that the hash *leaf* is number *index* of the *size* under *expected_root*.

    Raises:
        RemoteError: BAD_DECISION.
    """
    if not compare_digest(root_from_path(leaf, index, size, path), expected_root):
        raise RemoteError(Code.BAD_DECISION, "the path does not lead to the root")
