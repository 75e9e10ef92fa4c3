"""
The events that the deadline watcher sends, made from what it has to say: the same notice is always the same event.

Its id follows from the clock, the kind of notice, the step and the recipient. So a watcher that forgot what it sent
sends it again, and the router answers that it was said already.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from referral_contracts.codes import Code
from referral_contracts.encoding import format_time, lp, sha256
from referral_contracts.envelope import Envelope, EventData, seal_context
from referral_contracts.errors import LocalError
from referral_contracts.payloads.deadline import ClockUnreadable, DeadlineNotice
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.registry import may_carry
from referral_contracts.sealing import Reader, SealContext, seal
from referral_contracts.sections import encode_section
from referral_contracts.verbs import DEADLINES, Verb
from referral_contracts.wire import Section

_LABEL: Final = b"referral-bus/v1/notice"
_VERSION_8: Final = 0x80
_VARIANT: Final = 0x80


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One notice to one agency."""

    verb: Verb
    subject: str
    exercise: bool
    recipient: str
    """An address."""
    body: DeadlineNotice | ClockUnreadable = field(repr=False)

    def event_id(self, bus: str) -> str:
        """Return the id of the event that says it on *bus*."""
        body = self.body
        return notice_id(
            bus=bus,
            subject=self.subject,
            about=body.clock if isinstance(body, DeadlineNotice) else body.event.sha256,
            verb=self.verb,
            recipient=self.recipient,
            level=(body.level or 0) if isinstance(body, DeadlineNotice) else 0,
            step=(body.step or 0) if isinstance(body, DeadlineNotice) else 0,
        )


def notice_id(*, bus: str, subject: str, about: str, verb: Verb, recipient: str, level: int = 0, step: int = 0) -> str:
    """
    Return the id of a notice: a UUIDv8 (RFC 9562), the same whenever it is asked for.

    Args:
        bus: Which bus.
        subject: The case.
        about: The clock; for ``deadline.unreadable`` the hash of the event that cannot be read.
        verb: Which of the notices.
        recipient: The address that it goes to.
        level: How far up it is escalated.
        step: Which repetition it is.
    """
    told = (bus, subject, about, verb.value, recipient, str(level), str(step))
    raw = bytearray(sha256(lp(_LABEL, *(part.encode("ascii") for part in told)))[:16])
    raw[6] = raw[6] & 0x0F | _VERSION_8
    raw[8] = raw[8] & 0x3F | _VARIANT
    digits = raw.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


@dataclass(frozen=True, slots=True)
class Draft:
    """A notice that becomes an event: what it says is written down, and not sealed yet."""

    notice: Notice
    context: SealContext
    text: bytes = field(repr=False)

    @property
    def verb(self) -> Verb:
        """Which notice it is."""
        return self.notice.verb

    def seal(self, readers: Iterable[Reader]) -> "Letter":
        """
        Seal it to *readers*: the recipient, with the sealing key that the directory has for it.

        Raises:
            LocalError: UNSEALABLE: a key that takes no seal.
        """
        return Letter(self.notice, self.context, seal(self.text, self.context, readers).section)


@dataclass(frozen=True, slots=True)
class Letter:
    """A notice, sealed."""

    notice: Notice
    context: SealContext
    section: Section = field(repr=False)

    def event(self, now_ms: int) -> bytes:
        """Return the event that says it, ready to be signed at *now_ms*. Signed anew later it keeps its id."""
        notice, context = self.notice, self.context
        return Envelope(
            bus=context.bus,
            data=EventData(recipients=(notice.recipient,), sections=(self.section,)),
            exercise=notice.exercise,
            id=context.event_id,
            source=context.source,
            subject=context.subject,
            time=format_time(now_ms),
            type=notice.verb.type,
        ).encode()


def draft_notice(notice: Notice, *, bus: str, source: str) -> Draft:
    """
    Return *notice* as an event of *source*, the watcher's agency id, on *bus*.

    Raises:
        LocalError: It cannot be said: no notice.
    """
    body: Payload = notice.body
    if notice.verb not in DEADLINES or not may_carry(notice.verb, type(body)):
        raise LocalError(Code.MALFORMED_VALUE, "not a notice of the deadline watcher")
    context = seal_context(bus, notice.event_id(bus), source, notice.subject, None, 0)
    return Draft(notice, context, encode_section(body))


def seal_notice(notice: Notice, *, bus: str, source: str, readers: Iterable[Reader], now_ms: int) -> bytes:
    """
    Return the event that says *notice*, ready to be signed at *now_ms*: all the steps at once.

    Raises:
        LocalError: As `draft_notice` and `Draft.seal`.
    """
    return draft_notice(notice, bus=bus, source=source).seal(readers).event(now_ms)
