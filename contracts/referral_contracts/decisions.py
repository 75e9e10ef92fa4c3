"""
What the router says of an event, signed once for a whole batch.

Per transaction the router signs one RFC 6962 root. Its leaves are, per event, one *decision* (for the ledger), one
*delivery* for each recipient and one *verdict* for the sender. Each record carries its own leaf, path and the root's
signature: whoever holds the record holds the proof, and learns of nobody else's leaf, for each has a random salt.

A leaf is the RFC 8785 form of a flat object. Its builders write the text directly, because every value is an integer
or drawn from alphabets that need no escape, and because five leaves an event are the hot path; a test holds them to
``encoding.jcs``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from referral_contracts import merkle
from referral_contracts.codes import Code
from referral_contracts.directory_model import Time
from referral_contracts.encoding import MAX_INTEGER, SUBJECT, b64
from referral_contracts.envelope import Address, AgencyId, EventId, EventRef, HandoffKey, Hash
from referral_contracts.errors import RemoteError, Tampered
from referral_contracts.keys import SigningKey, VerifyKey
from referral_contracts.lifecycle import CaseState, State
from referral_contracts.signing import Typ, parse_signature, sign, verify

SALT_SIZE: Final = 16
_PATH_HEAD: Final = 8
NO_DECISION: Final = b"\x00" * 32
"""What the first decision of a partition names as its predecessor."""


Salt: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{21}[AQgw]$")]
Subject: TypeAlias = Annotated[str, StringConstraints(pattern=SUBJECT)]
Count: TypeAlias = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
Offset: TypeAlias = Annotated[int, Field(ge=-MAX_INTEGER, le=MAX_INTEGER)]


class _Leaf(BaseModel):
    # Fields stand in alphabetical order: the serializer then writes RFC 8785 form.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


_L = TypeVar("_L", bound=_Leaf)


class Decision(_Leaf):
    """One record of submissions, judged. Its chain of ``previous`` numbers a partition without a gap."""

    admitted: Time
    bus: AgencyId
    case: Count | None = None
    """The event's number within its case; absent when it was refused."""
    code: Code
    counter: Count
    directory: Count
    """The version of the directory it was judged by."""
    event: Hash
    kind: Literal["decision"]
    offset: Count
    partition: Count
    previous: Hash
    salt: Salt
    size: Count
    """Bytes submitted."""
    stamp: Time
    """The broker's own stamp."""


class Delivery(_Leaf):
    """One recipient's copy of an event."""

    admitted: Time
    bus: AgencyId
    counter: Count
    """The recipient's own count within the case, from 1, anew with each `restored`: a gap is a withheld delivery."""
    event: Hash
    kind: Literal["delivery"]
    partition: Count
    recipient: Address
    restored: Annotated[Count, Field(ge=1)] | None = None
    """How often the case came back from the archive; absent for never."""
    salt: Salt
    subject: Subject


class First(_Leaf):
    """What was decided of an id before."""

    code: Code
    counter: Count
    decision: Hash
    event: Hash


class OpenHandoff(_Leaf):
    """A hand-off that keeps a case from being closed, with all that its owner needs to end it."""

    head: EventRef
    holder: Address | None = None
    """Who stands on the recipient's side, where it was moved."""
    opening: EventId
    recipient: Address
    sender: AgencyId
    """Who stands on the sender's side."""
    state: State

    @property
    def key(self) -> HandoffKey:
        """Which hand-off it is."""
        return HandoffKey(opening=self.opening, recipient=self.recipient)


class Verdict(_Leaf):
    """The answer to one submission. Signed: a promise that the decision is in the log."""

    admitted: Time
    bus: AgencyId
    case_head: EventRef | None = None
    """For the case's owner alone: the last event that moved the case."""
    case_restored: Annotated[Count, Field(ge=1)] | None = None
    """For the owner: how often the case came back from the archive; absent for never."""
    case_state: CaseState | None = None
    clock_offset_ms: Offset
    """The event's ``time`` less the broker's stamp."""
    code: Code
    counter: Count
    decision: Hash
    event: Hash
    first: First | None = None
    handoff: HandoffKey | None = None
    head: EventRef | None = None
    """For the two parties of the hand-off: the last event that moved it."""
    id: EventId | None = None
    """Absent, as the subject, when the submission did not spell one."""
    kind: Literal["verdict"]
    open: Annotated[tuple[OpenHandoff, ...], Field(min_length=1)] | None = None
    """For the owner who may not close yet: what is still open."""
    partition: Count
    salt: Salt
    state: State | None = None
    subject: Subject | None = None

    @property
    def accepted(self) -> bool:
        """Whether the event was routed, now or when it was first submitted."""
        return self.code is Code.ACCEPTED or (
            self.code is Code.DUPLICATE and self.first is not None and self.first.code is Code.ACCEPTED
        )


def decision_leaf(
    *,
    admitted: str,
    bus: str,
    case: int | None,
    code: Code,
    counter: int,
    directory: int,
    event: str,
    offset: int,
    partition: int,
    previous: bytes,
    salt: bytes,
    size: int,
    stamp: str,
) -> bytes:
    """Return the bytes of a Decision."""
    numbered = "" if case is None else f'"case":{case},'
    return (
        f'{{"admitted":"{admitted}","bus":"{bus}",{numbered}"code":"{code.value}","counter":{counter},'
        f'"directory":{directory},"event":"{event}","kind":"decision","offset":{offset},"partition":{partition},'
        f'"previous":"{b64(previous)}","salt":"{b64(salt)}","size":{size},"stamp":"{stamp}"}}'
    ).encode("ascii")


def delivery_leaf(
    *,
    admitted: str,
    bus: str,
    counter: int,
    event: str,
    partition: int,
    recipient: str,
    restored: int,
    salt: bytes,
    subject: str,
) -> bytes:
    """Return the bytes of a Delivery; *restored* 0 says that the case never was."""
    again = f'"restored":{restored},' if restored else ""
    return (
        f'{{"admitted":"{admitted}","bus":"{bus}","counter":{counter},"event":"{event}","kind":"delivery",'
        f'"partition":{partition},"recipient":"{recipient}",{again}"salt":"{b64(salt)}","subject":"{subject}"}}'
    ).encode("ascii")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a verdict may tell its reader of the state that its event met."""

    handoff: HandoffKey | None = None
    head: EventRef | None = None
    state: State | None = None
    case_head: EventRef | None = None
    case_restored: int = 0
    case_state: CaseState | None = None
    open: tuple[OpenHandoff, ...] = ()
    first: First | None = None


NOTHING_TOLD: Final = Standing()


def verdict_leaf(
    *,
    admitted: str,
    bus: str,
    clock_offset_ms: int,
    code: Code,
    counter: int,
    decision: bytes,
    event: str,
    event_id: str | None,
    partition: int,
    salt: bytes,
    standing: Standing,
    subject: str | None,
) -> bytes:
    """Return the bytes of a Verdict."""
    told = standing
    parts = [f'{{"admitted":"{admitted}","bus":"{bus}",', *_case_told(told)]
    parts.append(f'"clock_offset_ms":{clock_offset_ms},"code":"{code.value}","counter":{counter},')
    parts.append(f'"decision":"{b64(decision)}","event":"{event}",')
    if told.first is not None:
        parts.append(f'"first":{told.first.model_dump_json()},')
    if told.handoff is not None:
        parts.append(f'"handoff":{_key(told.handoff)},')
    if told.head is not None:
        parts.append(f'"head":{_ref(told.head)},')
    if event_id is not None:
        parts.append(f'"id":"{event_id}",')
    parts.append('"kind":"verdict",')
    if told.open:
        parts.append(f'"open":[{",".join(one.model_dump_json(exclude_none=True) for one in told.open)}],')
    parts.append(f'"partition":{partition},"salt":"{b64(salt)}"')
    if told.state is not None:
        parts.append(f',"state":"{told.state.value}"')
    if subject is not None:
        parts.append(f',"subject":"{subject}"')
    parts.append("}")
    return "".join(parts).encode("ascii")


def _case_told(told: Standing) -> Iterator[str]:
    if told.case_head is not None:
        yield f'"case_head":{_ref(told.case_head)},'
    if told.case_restored:
        yield f'"case_restored":{told.case_restored},'
    if told.case_state is not None:
        yield f'"case_state":"{told.case_state.value}",'


def _ref(ref: EventRef) -> str:
    return f'{{"id":"{ref.id}","sha256":"{ref.sha256}"}}'


def _key(key: HandoffKey) -> str:
    return f'{{"opening":"{key.opening}","recipient":"{key.recipient}"}}'


def _root_statement(bus: str, partition: int, root: bytes, size: int) -> bytes:
    return f'{{"bus":"{bus}","partition":{partition},"root":"{b64(root)}","size":{size}}}'.encode("ascii")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedBatch:
    """The leaves of one transaction under one signature."""

    hashes: Sequence[bytes]
    paths: Sequence[bytes]
    """For each leaf the value of the ``path`` header: u32 index, u32 size, then the hashes."""
    root: bytes
    """The value of the ``root`` header: a detached JWS over {bus, partition, root, size}."""


def sign_batch(hashes: Sequence[bytes], *, bus: str, partition: int, key: SigningKey) -> SignedBatch:
    """Return the proofs of leaves with these *hashes* (``merkle.leaf_hash`` of each), signed once."""
    root, paths = merkle.paths(hashes)
    size = len(hashes).to_bytes(4, "big")
    signed = sign(key, Typ.DECISION, _root_statement(bus, partition, root, len(hashes)))
    return SignedBatch(
        hashes=hashes,
        paths=[index.to_bytes(4, "big") + size + path for index, path in enumerate(paths)],
        root=signed.encode("ascii"),
    )


def router_key_id(root: bytes) -> str:
    """
    Return the id of the key that a ``root`` header says it was signed with.

    Raises:
        RemoteError: Not a signature of a decision.
    """
    return parse_signature(root, Typ.DECISION).kid


def path_parts(path: bytes) -> tuple[int, int, bytes]:
    """
    Return the leaf's index, the batch's size and the hashes that a ``path`` header tells.

    Raises:
        RemoteError: BAD_DECISION: it is none.
    """
    if len(path) < _PATH_HEAD or (len(path) - _PATH_HEAD) % merkle.HASH_SIZE:
        raise RemoteError(Code.BAD_DECISION, "path of the wrong length")
    return int.from_bytes(path[:4], "big"), int.from_bytes(path[4:_PATH_HEAD], "big"), path[_PATH_HEAD:]


def verify_leaf(leaf: bytes, path: bytes, root: bytes, *, bus: str, partition: int, key: VerifyKey) -> None:
    """
    Check that the router signed *leaf* in a batch of *partition*.

    Raises:
        Tampered: It did not.
        RemoteError: The headers are malformed.
    """
    index, size, hashes = path_parts(path)
    computed = merkle.root_from_path(merkle.leaf_hash(leaf), index, size, hashes)
    try:
        verify(key, parse_signature(root, Typ.DECISION), _root_statement(bus, partition, computed, size))
    except RemoteError as error:
        raise Tampered(Code.BAD_DECISION, "no decision of the router") from error


def _read(model: type[_L], leaf: bytes) -> _L:
    """
    Return the *leaf* as a *model*.

    Raises:
        RemoteError: Not the one spelling of a leaf of this kind.
    """
    try:
        found = model.model_validate_json(leaf)
    except ValidationError:
        raise RemoteError(Code.BAD_DECISION, "malformed leaf") from None
    if found.model_dump_json(exclude_none=True).encode() != leaf:
        raise RemoteError(Code.BAD_DECISION, "leaf not in its one spelling")
    return found


def read_decision(leaf: bytes) -> Decision:
    """Return the Decision that *leaf* spells, or raise RemoteError."""
    return _read(Decision, leaf)


def read_delivery(leaf: bytes) -> Delivery:
    """Return the Delivery that *leaf* spells, or raise RemoteError."""
    return _read(Delivery, leaf)


def read_verdict(leaf: bytes) -> Verdict:
    """Return the Verdict that *leaf* spells, or raise RemoteError."""
    return _read(Verdict, leaf)
