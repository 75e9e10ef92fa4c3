"""
Who has read a case, as its owner is shown it: each read is a statement of the log, proven to be in it.

That none is left out is for the tree to say: a read is logged before it is answered, and what is logged stays.
"""

from dataclasses import dataclass

from referral_contracts.codes import Code
from referral_contracts.errors import RemoteError
from referral_contracts.log import leaf as logged
from referral_contracts.log.access import Access, check_access
from referral_contracts.log.leaf import Statement
from referral_contracts.log.policy import Checked, Policy
from referral_contracts.log.proofs import verify_inclusion
from referral_contracts.log.signers import own_keys
from referral_contracts.trail.answers import CaseAnswer, read_answer
from referral_contracts.trail.checking import Grounds
from referral_contracts.trail.extract import names_in
from referral_contracts.trail.leaves import TrailLeaf
from referral_contracts.trail.model import Fault
from referral_contracts.trust import TrustRoot


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One read of a case."""

    index: int
    """Its leaf in the log."""
    access: Access
    names: tuple[str, str] | None
    """What people call who read it, in Vietnamese and English; None: the directory that came along does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """The reads of a case, as far as the log showed them."""

    checked: Checked
    faults: tuple[Fault, ...]
    reads: tuple[Read, ...]


def read_reads(answer: CaseAnswer, policy: Policy, root: TrustRoot) -> Readings:
    """
    Return the reads that *answer* proves; what is wrong with single ones is told.

    Raises:
        RemoteError: As `read_answer`.
    """
    grounds, leaves = read_answer(answer, policy, root)
    names, faults, reads = names_in(grounds.directory), list[Fault](), list[Read]()
    before = -1
    for leaf in leaves:
        try:
            access = _read(leaf, answer.subject, grounds)
            if leaf.index <= before:
                raise RemoteError(Code.BAD_TRAIL, "a leaf twice, or out of order")
            reads.append(Read(index=leaf.index, access=access, names=names.get(access.by)))
        except RemoteError as error:
            faults.append(Fault(code=error.code, index=leaf.index, detail=error.detail or "not a read of this case"))
        before = leaf.index
    return Readings(checked=grounds.checked, faults=tuple(faults), reads=tuple(reads))


def _read(leaf: TrailLeaf, subject: str, grounds: Grounds) -> Access:
    checkpoint = grounds.checked.checkpoint
    verify_inclusion(logged.leaf(leaf.entry), leaf.index, checkpoint.size, checkpoint.root, leaf.proof)
    if not isinstance(leaf.record, Statement):
        raise RemoteError(Code.MALFORMED_RECORD, "not a statement of the log")
    access = check_access(leaf.record, grounds.bus, own_keys(grounds.directory))
    if access.subject != subject:
        raise RemoteError(Code.WRONG_SUBJECT, "a read of another case")
    return access
