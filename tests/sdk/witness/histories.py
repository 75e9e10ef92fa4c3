"""Logs that a witness is shown: one history, another one that forks from it, and what they ask."""

from collections.abc import Sequence
from typing import Final

from referral_contracts import merkle
from referral_contracts.keys import SigningKey
from referral_contracts.log.checkpoint import Checkpoint, sign_checkpoint
from referral_contracts.log.note import Kind, NoteKey
from referral_contracts.log.proofs import consistency_proof
from referral_contracts.log.witnessing import request
from tests.contracts.log.trees import leaves, reader

ORIGIN: Final = "training.log"
LOG: Final = SigningKey.from_seed(bytes([1] * 32))
LOG_KEY: Final = NoteKey(ORIGIN, Kind.ED25519, LOG.verify_key)
POLICY: Final = f"log {LOG_KEY.vkey}\nquorum none\n"
HISTORY: Final = leaves(100)
FORKED: Final = [*HISTORY[:5], *leaves(300)[200:]]


def checkpoint(size: int, history: Sequence[bytes] = HISTORY) -> Checkpoint:
    return Checkpoint(ORIGIN, size, merkle.root(history[:size]))


def signed(size: int, history: Sequence[bytes] = HISTORY) -> bytes:
    return sign_checkpoint(checkpoint(size, history), LOG)


def asked(old: int, size: int, history: Sequence[bytes] = HISTORY) -> bytes:
    """Return the request by which the log asks to have its checkpoint of *size* cosigned after that of *old*."""
    proof = consistency_proof(old, size, reader(history)) if old <= size else []
    return request(old, proof, signed(size, history))
