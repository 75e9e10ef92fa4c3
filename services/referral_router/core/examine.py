"""
What a submission's bytes are and whose, before any case is looked at.

`examine` parses and finds the key; `verify_signature` is the one slow step, apart so that the service can run it in
threads. Whether the key was valid when the event was admitted is the fold's to say: only it knows the time.
"""

import re
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from referral_contracts.codes import Code
from referral_contracts.directory import ROLE_WATCHER, Directory, EventKey
from referral_contracts.encoding import AGENCY, EVENT_ID, SUBJECT, event_hash, parse_json
from referral_contracts.envelope import Envelope
from referral_contracts.errors import RemoteError
from referral_contracts.records import LOG_APPEND_TIME, Record
from referral_contracts.signing import Signature, Typ, parse_signature, verify
from referral_contracts.ticks import check_tick
from referral_contracts.topics import H_SIGNATURE

_AGENCY: Final = re.compile(AGENCY)
_EVENT_ID: Final = re.compile(EVENT_ID)
_SUBJECT: Final = re.compile(SUBJECT)


class Sender(NamedTuple):
    """Who signed a submission, and what a verdict about it can name."""

    source: str
    id: str | None
    subject: str | None


@dataclass(slots=True)
class Examined:
    """A submission, parsed as far as it could be."""

    record: Record
    event: str
    """The hash of the bytes submitted."""
    code: Code | None = None
    """Why it is refused, whatever the case says."""
    envelope: Envelope | None = None
    sender: Sender | None = None
    """Set when there is a signature to verify; cleared when it turns out not to be theirs."""
    tick: bool = False
    key: EventKey | None = field(default=None, repr=False)
    signature: Signature | None = field(default=None, repr=False)

    @property
    def case_key(self) -> bytes | None:
        """The record key of what follows from it: the case it names, whatever key it was submitted with."""
        if self.sender is None or self.sender.subject is None:
            return None
        return self.sender.subject.encode("ascii")

    def disown(self, code: Code) -> None:
        """Refuse it as nobody's."""
        self.code, self.sender, self.envelope, self.tick = code, None, None, False


def examine(record: Record, directory: Directory, bus: str) -> Examined:
    """Return what *record* says and whose key would have to have signed it."""
    value = record.value or b""
    found = Examined(record=record, event=event_hash(value))
    # What follows from it could not be produced: there is nothing wrong with what was said, so its sender is told.
    undeliverable = record.fault is Code.UNDELIVERABLE
    try:
        text = signature_header(replace(record, fault=None) if undeliverable else record)
        if record.key is None and not undeliverable and _is_tick(found, text, directory, bus):
            return found
        found.signature = parse_signature(text, Typ.EVENT)
        found.sender, found.code = _read(found, value)
        if found.code is None and found.envelope is not None and found.envelope.bus != bus:
            found.code = Code.WRONG_BUS
        if undeliverable and found.code is None:
            found.code = Code.UNDELIVERABLE
        found.key = _key_of(directory, found.sender.source, found.signature.kid)
    except RemoteError as error:
        found.disown(error.code)
    return found


def signature_header(record: Record) -> bytes:
    """
    Return the one header that a submission has.

    Raises:
        RemoteError: None, another, more than one; or the record is none to begin with.
    """
    if record.fault is not None:
        raise RemoteError(record.fault)
    if record.stamp_type != LOG_APPEND_TIME:
        raise RemoteError(Code.TOPIC_MISCONFIGURED, "a stamp of the sender's own")
    if record.value is None:
        raise RemoteError(Code.NULL_VALUE)
    if not record.headers:
        raise RemoteError(Code.MISSING_HEADER)
    if len(record.headers) > 1 or record.headers[0][0] != H_SIGNATURE:
        raise RemoteError(Code.UNEXPECTED_HEADER)
    text = record.headers[0][1]
    if text is None:
        raise RemoteError(Code.MISSING_HEADER)
    return text


def _is_tick(found: Examined, text: bytes, directory: Directory, bus: str) -> bool:
    try:
        signature = parse_signature(text, Typ.TICK)
    except RemoteError:
        return False
    watcher = directory.service(ROLE_WATCHER)
    if watcher is None:
        raise RemoteError(Code.UNKNOWN_SENDER)
    check_tick(found.record.value or b"", bus, found.record.partition)
    found.signature, found.tick = signature, True
    found.sender = Sender(watcher, None, None)
    found.key = _key_of(directory, watcher, signature.kid)
    return True


def _read(found: Examined, value: bytes) -> tuple[Sender, Code | None]:
    try:
        envelope = Envelope.decode(value)
    except RemoteError as error:
        # A sender that can be told who it is deserves an answer even to what we cannot read.
        return sketch(value, error.code), error.code
    found.envelope = envelope
    return Sender(envelope.source, envelope.id, envelope.subject), None


def sketch(value: bytes, code: Code) -> Sender:
    """
    Return who says that *value* is theirs, though it cannot be read because of *code*.

    Raises:
        RemoteError: With that code: it does not even tell that, or tells it twice.
    """
    try:
        told = parse_json(value)
    except RemoteError as error:
        raise RemoteError(code) from error
    fields = told if isinstance(told, dict) else {}
    source = _spelled(fields.get("source"), _AGENCY)
    if source is None:
        raise RemoteError(code)
    return Sender(source, _spelled(fields.get("id"), _EVENT_ID), _spelled(fields.get("subject"), _SUBJECT))


def _spelled(value: object, pattern: re.Pattern[str]) -> str | None:
    # Not `match`: a `$` lets a newline follow.
    return value if isinstance(value, str) and pattern.fullmatch(value) else None


def _key_of(directory: Directory, source: str, kid: str) -> EventKey:
    if directory.member(source) is None:
        raise RemoteError(Code.UNKNOWN_SENDER)
    key = directory.event_key(source, kid)
    if key is None:
        raise RemoteError(Code.UNKNOWN_KEY)
    return key


def verify_signature(found: Examined) -> None:
    """Check the signature of *found*; what fails is nobody's. Releases the GIL while it computes."""
    if found.sender is None or found.key is None or found.signature is None:
        return
    try:
        verify(found.key.key, found.signature, found.record.value or b"")
    except RemoteError as error:
        found.disown(error.code)
