"""Whether a log only grew from one of its checkpoints to another, by a proof made of what it publishes."""

from referral_contracts.codes import Code
from referral_contracts.errors import RemoteError, Tampered
from referral_contracts.log.checkpoint import Checkpoint
from referral_contracts.log.proofs import consistency_proof, verify_consistency
from referral_contracts.log.tiles import Fetch, TileReader


def check_consistent(old: Checkpoint, new: Checkpoint, fetch: Fetch) -> None:
    """
    Return if the tree of *new* begins with all of that of *old*; *fetch* reads the log's published tiles.

    The tiles are believed only as far as they lead to the root of *new*.

    Raises:
        Tampered: LOG_ROLLBACK: the new tree is smaller. LOG_FORK: it is not the old one, grown.
        RemoteError: BAD_CHECKPOINT: of two logs. BAD_TILE: what is published is not the tree of *new*.
    """
    if old.origin != new.origin:
        raise RemoteError(Code.BAD_CHECKPOINT, "checkpoints of two logs")
    if new.size < old.size:
        raise Tampered(Code.LOG_ROLLBACK, f"a log of {old.size} leaves has become one of {new.size}")
    proof = []
    if old.size not in {0, new.size}:
        proof = consistency_proof(old.size, new.size, TileReader(fetch, new.size, new.root))
    try:
        verify_consistency(old.size, old.root, new.size, new.root, proof)
    except Tampered:
        raise
    except RemoteError as error:
        # Its hashes were under the new root, every one: it is the old one that they do not lead to.
        raise Tampered(Code.LOG_FORK, f"its {old.size} leaves of then are not those that it begins with") from error
