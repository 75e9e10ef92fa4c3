"""
Checkpoints (c2sp.org/tlog-checkpoint): what a log says its tree is, and what witnesses add to that.

    bus.example.log
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — bus.example.log Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=

Origin, size and root, signed by the log's key, whose name is the origin. A witness cosigns a checkpoint after it has
seen that the tree continues all it saw before (c2sp.org/tlog-cosignature).
"""

import re
from dataclasses import dataclass
from typing import Final, Self

from referral_contracts.codes import Code
from referral_contracts.errors import LocalError, RemoteError
from referral_contracts.keys import SigningKey
from referral_contracts.log.note import (
    MAX_TIME_S,
    Kind,
    NoteKey,
    NoteSignature,
    Opened,
    cosigned_message,
    open_note,
    sign,
    std64,
    unstd64,
    write_note,
)
from referral_contracts.log.proofs import EMPTY_ROOT, MAX_SIZE
from referral_contracts.merkle import HASH_SIZE

_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a log at one size."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()
    """Lines that other logs add. This one writes none, for nobody could audit them."""

    def text(self) -> str:
        """Return the note text."""
        return "".join(f"{line}\n" for line in (self.origin, self.size, std64(self.root), *self.extensions))

    @classmethod
    def parse(cls, text: str) -> Self:
        """
        Return the checkpoint that a note's *text* spells.

        Raises:
            RemoteError: BAD_CHECKPOINT.
        """
        lines = text.split("\n")
        size = parse_size(lines[1]) if len(lines) > 3 else None
        root = unstd64(lines[2]) if size is not None else None
        if size is None or root is None or len(root) != HASH_SIZE or not all(lines[:-1]) or lines[-1]:
            raise RemoteError(Code.BAD_CHECKPOINT, "not an origin, a size and a root")
        return cls(lines[0], size, root, tuple(lines[3:-1]))


def parse_size(text: str) -> int | None:
    """Return the size of a tree that *text* spells, or None: decimal, without leading zeroes."""
    # Python reads other scripts' digits too; the expression knows ten.
    return size if _SIZE.fullmatch(text) and (size := int(text)) <= MAX_SIZE else None


def sign_checkpoint(checkpoint: Checkpoint, key: SigningKey) -> bytes:
    """Return the note of *checkpoint*, signed by the log's *key*, whose name is the origin."""
    text = checkpoint.text()
    return write_note(text, [sign(text, checkpoint.origin, key)])


def open_checkpoint(note: bytes, key: NoteKey) -> Checkpoint:
    """
    Return the checkpoint of this *note*, which the log with *key* signed.

    Raises:
        RemoteError: BAD_NOTE, BAD_SIGNATURE, BAD_CHECKPOINT.
    """
    return checkpoint_of(open_note(note, [key]), key)


def checkpoint_of(opened: Opened, key: NoteKey) -> Checkpoint:
    """
    Return the checkpoint in a note that was *opened*, as one of the log with *key*.

    Raises:
        RemoteError: BAD_SIGNATURE: the log did not sign it. BAD_CHECKPOINT: it is none of this log's.
    """
    if not opened.is_by(key):
        raise RemoteError(Code.BAD_SIGNATURE, "the log did not sign the checkpoint")
    found = Checkpoint.parse(opened.text)
    if found.origin != key.name:
        raise RemoteError(Code.BAD_CHECKPOINT, "a checkpoint of another log")
    if found.extensions:
        raise RemoteError(Code.BAD_CHECKPOINT, "a checkpoint that says more than a log can be held to")
    if not found.size and found.root != EMPTY_ROOT:
        raise RemoteError(Code.BAD_CHECKPOINT, "the root over nothing is the hash of nothing")
    return found


def cosign(text: str, time_s: int, name: str, key: SigningKey) -> NoteSignature:
    """
    Return the cosignature of the witness *name* on the checkpoint with this *text*.

    It says that at *time_s*, seconds since 1970, this is the largest consistent tree that the witness has seen.

    Raises:
        LocalError: MALFORMED_VALUE: no such time.
    """
    if not 0 < time_s <= MAX_TIME_S:
        raise LocalError(Code.MALFORMED_VALUE, "a cosignature tells its time")
    raw = time_s.to_bytes(8, "big") + key.sign_raw(cosigned_message(text, time_s))
    return NoteSignature(name, NoteKey(name, Kind.COSIGNATURE, key.verify_key).key_id, raw)


def verify_cosignature(text: str, signature: NoteSignature, witness: NoteKey) -> int:
    """
    Return when *witness* cosigned the checkpoint with this *text*, in seconds since 1970.

    Raises:
        RemoteError: BAD_SIGNATURE.
    """
    if witness.kind is not Kind.COSIGNATURE or not signature.is_by(witness) or not witness.verify(text, signature.raw):
        raise RemoteError(Code.BAD_SIGNATURE, "not the witness' cosignature of this checkpoint")
    return signature.time_s
