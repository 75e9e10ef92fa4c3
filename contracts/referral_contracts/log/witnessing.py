"""
What a witness decides (c2sp.org/tlog-witness, add-checkpoint): may this checkpoint follow the last one I cosigned?

    old 20852014
    PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
    …

    bus.example.log
    20852163
    …

`read_request` says what stands in a request, and whether a known log signed it; `judge` holds that against the last
checkpoint of the log, in the transaction that then replaces it. Each refusal is the status that the specification
wants, with a code of ours. The log asks with `request`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from referral_contracts.codes import Code
from referral_contracts.encoding import sha256
from referral_contracts.errors import RemoteError
from referral_contracts.log.checkpoint import Checkpoint, parse_size
from referral_contracts.log.note import MAX_NOTE, NoteKey, NoteSignature, open_note, parse_note, std64, unstd64
from referral_contracts.log.proofs import EMPTY_ROOT, verify_consistency
from referral_contracts.merkle import HASH_SIZE

ADD_CHECKPOINT: Final = "/add-checkpoint"
SIZE_TYPE: Final = "text/x.tlog.size"
"""What a conflict's body is: the size of the last checkpoint that was cosigned."""
MAX_PROOF: Final = 63
MAX_REQUEST: Final = MAX_NOTE + 4096
"""A checkpoint, and 64 lines of at most 45 bytes."""

OK: Final = 200
BAD_REQUEST: Final = 400
FORBIDDEN: Final = 403
NOT_FOUND: Final = 404
CONFLICT: Final = 409
UNPROCESSABLE: Final = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """A checkpoint that a known log signed, with what is to show that it follows another."""

    old: int
    """The size of the checkpoint that it follows."""
    proof: tuple[bytes, ...]
    checkpoint: Checkpoint
    text: str
    """The note's text, which is cosigned."""
    signatures: tuple[NoteSignature, ...]
    """The log's, verified."""


@dataclass(frozen=True, slots=True)
class Cosigned:
    """It follows: keep it, then cosign it."""

    submitted: Submitted


@dataclass(frozen=True, slots=True)
class Conflict:
    """It follows something else than what was cosigned last."""

    size: int
    """Of the checkpoint that was cosigned last; 0 where there is none."""
    forked: bool = False
    """Whether it cannot be true beside the last one: one size, two roots, both signed by the log."""


@dataclass(frozen=True, slots=True)
class Refused:
    """It is not cosigned."""

    status: int
    """What the specification wants answered over HTTP."""
    code: Code
    detail: str
    forked: bool = False
    """As of a conflict."""


Judgement: TypeAlias = Cosigned | Conflict | Refused


def request(old: int, proof: Sequence[bytes], note: bytes) -> bytes:
    """Return the body by which a log asks for a cosignature of the checkpoint *note*."""
    return "".join([f"old {old}\n", *(f"{std64(one)}\n" for one in proof), "\n"]).encode("ascii") + note


def origin_hash(origin: str) -> str:
    """Return how a witness' published checkpoints name the log of *origin*."""
    return sha256(origin.encode()).hex()


def read_request(body: bytes, logs: Mapping[str, Sequence[NoteKey]]) -> Submitted | Refused:
    """Return what *body* submits, or why it is refused; *logs* are the keys that are trusted for each origin."""
    try:
        old, proof, note = _parts(body)
        checkpoint = Checkpoint.parse(parse_note(note)[0])
    except RemoteError as error:
        return Refused(BAD_REQUEST, error.code, error.detail)
    keys = logs.get(checkpoint.origin)
    if keys is None:
        return Refused(NOT_FOUND, Code.NOT_FOUND, "no such log is known here")
    try:
        opened = open_note(note, keys)
    except RemoteError as error:
        return Refused(FORBIDDEN, error.code, error.detail)
    if old > checkpoint.size:
        return Refused(BAD_REQUEST, Code.LOG_ROLLBACK, "the checkpoint is smaller than what it follows")
    return Submitted(old=old, proof=proof, checkpoint=checkpoint, text=opened.text, signatures=opened.signatures)


def _parts(body: bytes) -> tuple[int, tuple[bytes, ...], bytes]:
    if len(body) > MAX_REQUEST:
        raise RemoteError(Code.OVERSIZE, "a request over its limit")
    head, empty, note = body.partition(b"\n\n")
    first, *lines = head.decode("utf-8", "replace").split("\n")
    old = parse_size(first.removeprefix("old ")) if first.startswith("old ") else None
    hashes = [unstd64(line) for line in lines]
    proof = tuple(one for one in hashes if one is not None and len(one) == HASH_SIZE)
    if not empty or old is None or len(proof) != len(lines) or len(proof) > MAX_PROOF:
        raise RemoteError(Code.BAD_PROOF, "not an old size, hashes, an empty line and a checkpoint")
    return old, proof, note


def judge(submitted: Submitted, last: Checkpoint | None) -> Judgement:
    """Return whether what was *submitted* may follow *last*, the checkpoint of this log that was cosigned last."""
    found, size = submitted.checkpoint, 0 if last is None else last.size
    forked = last is not None and found.size == last.size and found.root != last.root
    if submitted.old != size:
        return Conflict(size, forked)
    try:
        verify_consistency(size, EMPTY_ROOT if last is None else last.root, found.size, found.root, submitted.proof)
    except RemoteError as error:
        return Refused(UNPROCESSABLE, error.code, error.detail, forked)
    return Cosigned(submitted)
