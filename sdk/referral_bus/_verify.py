"""
What a record of our inbox is, or why it is nothing we can use. Pure: a record and a directory in, a value out.

Verifying is the only way to a `VerifiedDelivery`, and only of one is a section ever opened (see `_open`): every reader
of a section knows its content key, and could have written other content.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final

from referral_contracts import decisions
from referral_contracts.batch_check import router_key
from referral_contracts.codes import Code
from referral_contracts.decisions import verify_leaf
from referral_contracts.directory import ROLE_WATCHER, Directory
from referral_contracts.encoding import event_hash, parse_time
from referral_contracts.envelope import Envelope
from referral_contracts.errors import LocalError, RemoteError, Tampered
from referral_contracts.records import Record
from referral_contracts.signing import Typ, parse_signature, verify
from referral_contracts.topics import (
    H_DELIVERY,
    H_KIND,
    H_PATH,
    H_ROOT,
    H_SIGNATURE,
    KIND_DELIVERY,
    KIND_VERDICT,
    agency_of,
)
from referral_contracts.verbs import DEADLINES

_DELIVERY_HEADERS: Final = frozenset({H_KIND, H_SIGNATURE, H_DELIVERY, H_PATH, H_ROOT})
_VERDICT_HEADERS: Final = frozenset({H_KIND, H_PATH, H_ROOT})


class Doubtful(RemoteError):
    """By this directory it is no good; a newer one may know the key."""


class NotTaken(RemoteError):
    """The router delivered it to us, so it counts and is kept; but it is no delivery to us, as things are."""

    detail_told: ClassVar[str]

    def __init__(self, code: Code, delivery: decisions.Delivery) -> None:
        """Tell what was delivered, and why it is not taken."""
        super().__init__(code, self.detail_told)
        self.delivery = delivery


class NotUnderstood(NotTaken):
    """What it says is spelled in a way that this version does not know."""

    detail_told = "a delivery that this version of the SDK does not understand"


class Ended(NotTaken, Doubtful):
    """Its sender's key was ended after the router took it in, for a time before that."""

    detail_told = "a delivery under a key of its sender that was not valid then, as the directory tells it now"


class NotTheirs(NotTaken, Doubtful):
    """It tells of a deadline, and its sender is not the deadline watcher in the directory at hand."""

    detail_told = "a notice of a deadline that is not the deadline watcher's"


class TooNew(LocalError):
    """The router decided it by a directory that is newer than ours: ours had expired by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedDelivery:
    """
    An event that its sender signed and the router delivered to us.

    `verify_record` makes one, and `read_back` reads one back from the store.
    """

    envelope: Envelope
    value: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    event: str
    """The hash of its bytes."""
    delivery: decisions.Delivery
    leaf: bytes = field(repr=False)
    path: bytes = field(repr=False)
    root: bytes = field(repr=False)

    @property
    def recipient(self) -> str:
        """Which of our addresses it is for."""
        return self.delivery.recipient

    @property
    def admitted_ms(self) -> int:
        """When the bus took it in."""
        return parse_time(self.delivery.admitted)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedVerdict:
    """An answer that the router signed."""

    verdict: decisions.Verdict
    leaf: bytes = field(repr=False)
    path: bytes = field(repr=False)
    root: bytes = field(repr=False)


def verify_record(record: Record, directory: Directory, *, agency: str) -> VerifiedDelivery | VerifiedVerdict:
    """
    Return what *record* is.

    Raises:
        RemoteError: Garbage, for ever. Doubtful: garbage by this directory. NotTaken: delivered all the same.
        TooNew: Not to be judged before there is a newer directory.
    """
    headers = _headers(record)
    kind = headers.get(H_KIND)
    if record.value is None:
        raise RemoteError(Code.NULL_VALUE)
    if kind == KIND_VERDICT:
        return _verdict(record.value, headers, directory)
    if kind == KIND_DELIVERY:
        return _delivery(record.value, headers, directory, agency)
    raise RemoteError(Code.MISSING_HEADER if kind is None else Code.UNEXPECTED_HEADER)


def read_back(*, value: bytes, signature: bytes, leaf: bytes, path: bytes, root: bytes) -> VerifiedDelivery:
    """
    Return a delivery that was verified before it went into the store, which is trusted.

    It is not verified again: a key that was revoked since undoes nothing that was admitted before.
    """
    return VerifiedDelivery(
        envelope=Envelope.decode(value),
        value=value,
        signature=signature,
        event=event_hash(value),
        delivery=decisions.read_delivery(leaf),
        leaf=leaf,
        path=path,
        root=root,
    )


def signed_afresh(value: bytes, verified: VerifiedDelivery) -> bool:
    """
    Whether *verified* says what *value* said, under another time alone.

    A clock that was ahead is told so, and its event signed afresh under the same id; the first spelling, in somebody's
    hands, is good once its time has come.
    """
    return Envelope.decode(value).model_copy(update={"time": verified.envelope.time}).encode() == verified.value


def _headers(record: Record) -> Mapping[str, bytes]:
    if record.fault is not None:
        raise RemoteError(record.fault)
    found = {name: value for name, value in record.headers if value is not None}
    if len(found) != len(record.headers):
        raise RemoteError(Code.UNEXPECTED_HEADER, "a header twice or without a value")
    return found


def _demand(headers: Mapping[str, bytes], expected: Iterable[str]) -> None:
    wanted = set(expected)
    if headers.keys() != wanted:
        raise RemoteError(Code.MISSING_HEADER if wanted - headers.keys() else Code.UNEXPECTED_HEADER)


def _verdict(value: bytes, headers: Mapping[str, bytes], directory: Directory) -> VerifiedVerdict:
    _demand(headers, _VERDICT_HEADERS)
    verdict = decisions.read_verdict(value)
    _of_the_router(verdict, value, headers, directory)
    return VerifiedVerdict(verdict=verdict, leaf=value, path=headers[H_PATH], root=headers[H_ROOT])


def _delivery(value: bytes, headers: Mapping[str, bytes], directory: Directory, agency: str) -> VerifiedDelivery:
    _demand(headers, _DELIVERY_HEADERS)
    leaf = headers[H_DELIVERY]
    # (1) The router says that it delivers something to one of our addresses.
    delivery = decisions.read_delivery(leaf)
    if agency_of(delivery.recipient) != agency:
        raise RemoteError(Code.WRONG_RECIPIENTS, "another agency's delivery")
    _of_the_router(delivery, leaf, headers, directory)
    # (2) These are the bytes that it delivers.
    event = event_hash(value)
    if event != delivery.event:
        raise Tampered(Code.BAD_DECISION, "not the event that was delivered")
    # (3) They spell an event of this case and bus, to this address.
    try:
        envelope = Envelope.decode(value)
    except RemoteError as error:
        raise NotUnderstood(error.code, delivery) from error
    if (envelope.bus, envelope.subject) != (delivery.bus, delivery.subject):
        raise Tampered(Code.BAD_DECISION, "delivered as another case's event")
    if delivery.recipient not in envelope.data.recipients:
        raise Tampered(Code.BAD_DECISION, "delivered to whom it was not addressed")
    # (4) Its sender signed them, with a key that was valid when the bus took them in. The router has checked that too;
    #     but what an agency acts on, it does not take from the bus on trust.
    signature = parse_signature(headers[H_SIGNATURE], Typ.EVENT)
    key = directory.event_key(envelope.source, signature.kid)
    if key is None:
        raise Doubtful(Code.UNKNOWN_KEY, "not a key of the sender")
    verify(key.key, signature, value)
    if not key.valid(parse_time(delivery.admitted)):
        raise Ended(Code.KEY_NOT_VALID, delivery)
    # (5) What only the deadline watcher says, it said.
    if envelope.verb in DEADLINES and envelope.source != directory.service(ROLE_WATCHER):
        raise NotTheirs(Code.WRONG_PARTY, delivery)
    return VerifiedDelivery(
        envelope=envelope,
        value=value,
        signature=headers[H_SIGNATURE],
        event=event,
        delivery=delivery,
        leaf=leaf,
        path=headers[H_PATH],
        root=headers[H_ROOT],
    )


def _of_the_router(
    told: decisions.Delivery | decisions.Verdict, leaf: bytes, headers: Mapping[str, bytes], directory: Directory
) -> None:
    if told.bus != directory.head.bus:
        raise RemoteError(Code.WRONG_BUS)
    admitted_ms = parse_time(told.admitted)
    key = router_key(directory, headers[H_ROOT])
    if key is None:
        raise Doubtful(Code.UNKNOWN_KEY, "not a key of the router")
    verify_leaf(leaf, headers[H_PATH], headers[H_ROOT], bus=told.bus, partition=told.partition, key=key.key)
    if not key.valid(admitted_ms):
        raise Doubtful(Code.KEY_NOT_VALID, "the router's key was not valid")
    # Only now: that something comes from the future has to be said by the router, or anybody could make us wait.
    if admitted_ms >= directory.expires_ms:
        raise TooNew(Code.DIRECTORY_EXPIRED, "decided after the directory at hand had expired")
