"""
Receipts (c2sp.org/tlog-proof): that an event is in the log, checked offline.

A receipt is given to whoever has the event. Its ``extra`` line carries what that one lacks of the record: the salt
and the router's decision with its proof. It is provisional until its checkpoint has the cosignatures that the policy
asks for.
"""

import re
from dataclasses import dataclass
from typing import Final, Self

from referral_contracts.codes import Code
from referral_contracts.decisions import Decision, read_decision
from referral_contracts.encoding import event_hash, lp
from referral_contracts.errors import RemoteError
from referral_contracts.log.checkpoint import Checkpoint, parse_size
from referral_contracts.log.leaf import SALT_SIZE, LedgerEntry, entry, leaf, unlp
from referral_contracts.log.note import MAX_NOTE, std64, unstd64
from referral_contracts.log.policy import Checked, Policy
from referral_contracts.log.proofs import verify_inclusion
from referral_contracts.merkle import HASH_SIZE

HEADER: Final = "c2sp.org/tlog-proof@v1"
SUFFIX: Final = ".tlog-proof"
MAX_PATH: Final = 63
"""Hashes from a leaf to the root of the largest tree."""
MAX_EXTRA: Final = 16_384
"""A decision is some 600 bytes, its path and root in the largest batch as much."""
MAX_RECEIPT: Final = MAX_NOTE + 32_768

_BODY: Final = re.compile(
    rf"{re.escape(HEADER)}\n(?:extra ([A-Za-z0-9+/=]+)\n)?index ([0-9]+)\n((?:[A-Za-z0-9+/=]+\n)*)\n(.+)", re.DOTALL
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a receipt adds to the event it is for: with both, the entry in the log can be computed."""

    salt: bytes
    decision: bytes
    path: bytes
    root: bytes

    def encode(self) -> bytes:
        """Return the bytes of an ``extra`` line."""
        return self.salt + lp(self.decision, self.path, self.root)

    @classmethod
    def decode(cls, extra: bytes) -> Self:
        """
        Return what an ``extra`` line opens.

        Raises:
            RemoteError: BAD_PROOF.
        """
        try:
            decision, path, root = unlp(extra[SALT_SIZE:], 3)
        except RemoteError as error:
            raise RemoteError(Code.BAD_PROOF, "not the extra line of a receipt") from error
        return cls(salt=extra[:SALT_SIZE], decision=decision, path=path, root=root)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """An inclusion proof with the checkpoint that it leads to."""

    index: int
    path: tuple[bytes, ...]
    """From the leaf's sibling upwards."""
    checkpoint: bytes
    """The signed note, as it was."""
    extra: bytes = b""

    def encode(self) -> bytes:
        """Return the receipt's bytes, for a file."""
        extra = [f"extra {std64(self.extra)}"] if self.extra else []
        lines = [HEADER, *extra, f"index {self.index}", *map(std64, self.path), "", ""]
        return "\n".join(lines).encode("ascii") + self.checkpoint

    @classmethod
    def decode(cls, value: bytes) -> Self:
        """
        Return the receipt that *value* spells; nothing of it is verified.

        Raises:
            RemoteError: BAD_PROOF.
        """
        if len(value) > MAX_RECEIPT:
            raise RemoteError(Code.BAD_PROOF, "a receipt over its limit")
        match = _BODY.fullmatch(value.decode("utf-8", "surrogateescape"))
        if match is None:
            raise RemoteError(Code.BAD_PROOF, "not a receipt")
        index = parse_size(match[2])
        path = [unstd64(line) for line in match[3].splitlines()]
        extra = unstd64(match[1] or "")
        hashes = tuple(one for one in path if one is not None and len(one) == HASH_SIZE)
        if index is None or extra is None or len(hashes) != len(path) or len(path) > MAX_PATH or len(extra) > MAX_EXTRA:
            raise RemoteError(Code.BAD_PROOF, "not an index, a path of hashes and an extra line")
        return cls(index=index, path=hashes, checkpoint=match[4].encode("utf-8", "surrogateescape"), extra=extra)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """What a receipt proves of an event."""

    index: int
    """Its place in the log."""
    decision: Decision
    """What was decided of it; that the router said so is shown by `entry`, see `decisions.verify_leaf`."""
    entry: LedgerEntry
    checkpoint: Checkpoint
    witnesses: tuple[str, ...]
    witnessed: bool
    """Whether enough witnesses saw that tree; else the receipt is provisional."""


def verify_included(receipt: Receipt, entry: bytes, policy: Policy) -> Checked:
    """
    Return the checkpoint under which *receipt* shows *entry*.

    Raises:
        RemoteError: BAD_PROOF, or as `Policy.check`.
    """
    checked = policy.check(receipt.checkpoint)
    found = checked.checkpoint
    verify_inclusion(leaf(entry), receipt.index, found.size, found.root, receipt.path)
    return checked


def verify_receipt(receipt: Receipt, signature: bytes, value: bytes, policy: Policy) -> Proven:
    """
    Return what *receipt* proves of the event with these bytes and this signature header.

    Raises:
        RemoteError: BAD_PROOF, BAD_DECISION, or as `Policy.check`.
    """
    opening = Opening.decode(receipt.extra)
    logged = LedgerEntry(
        signature=signature, value=value, decision=opening.decision, path=opening.path, root=opening.root
    )
    checked = verify_included(receipt, entry(opening.salt, logged.record()), policy)
    decision = read_decision(opening.decision)
    if decision.event != event_hash(value):
        raise RemoteError(Code.BAD_PROOF, "the decision is on another event")
    return Proven(
        index=receipt.index,
        decision=decision,
        entry=logged,
        checkpoint=checked.checkpoint,
        witnesses=checked.witnesses,
        witnessed=checked.quorum,
    )
