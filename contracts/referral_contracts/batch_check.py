"""
What the router signed, checked: one signature for all the leaves of a batch.

A record carries its leaf, the leaf's path and the root's signature. The path is walked for every leaf; the signature
over the root that it leads to is verified once, and remembered while the batch's other leaves come.
"""

from collections import OrderedDict
from typing import Final

from referral_contracts.codes import Code
from referral_contracts.decisions import path_parts, router_key_id, verify_leaf
from referral_contracts.directory import ROLE_ROUTER, Directory, EventKey
from referral_contracts.errors import RemoteError
from referral_contracts.merkle import root_from_path

REMEMBERED: Final = 64
"""Batches. Their leaves come one behind the other; from several partitions, or out of order, a few are open at once."""


def router_key(directory: Directory, root: bytes) -> EventKey | None:
    """
    Return the router's key that a ``root`` header says it was signed with, valid or not; None: it has no such key.

    Raises:
        RemoteError: Not a signature of a decision.
    """
    kid = router_key_id(root)
    router = directory.service(ROLE_ROUTER)
    return None if router is None else directory.event_key(router, kid)


class BatchCheck:
    """Checks leaves of one bus; the same arguments give the same answer, the later of a batch sooner."""

    def __init__(self, bus: str, remembered: int = REMEMBERED) -> None:
        """Check what is *bus*'s, and remember so many batches."""
        self._bus, self._remembered = bus, remembered
        self._verified: OrderedDict[tuple[int, bytes, bytes, int], None] = OrderedDict()

    def check(
        self, leaf: bytes, hashed: bytes, path: bytes, root: bytes, *, partition: int, directory: Directory, at_ms: int
    ) -> None:
        """
        Return if the router signed *leaf*, which hashes to *hashed*, in a batch of *partition*, by a key valid then.

        Raises:
            RemoteError: UNKNOWN_KEY: not by such a key. BAD_DECISION: it did not sign it.
        """
        key = router_key(directory, root)
        if key is None or not key.valid(at_ms):
            raise RemoteError(Code.UNKNOWN_KEY, "not by a key that was the router's at the time")
        index, size, hashes = path_parts(path)
        # The signature names its key: whoever has the same root has been verified with the same key.
        batch = (partition, root, root_from_path(hashed, index, size, hashes), size)
        if batch in self._verified:
            return
        verify_leaf(leaf, path, root, bus=self._bus, partition=partition, key=key.key)
        self._verified[batch] = None
        if len(self._verified) > self._remembered:
            self._verified.popitem(last=False)
