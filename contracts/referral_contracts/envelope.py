"""
The envelope: a CloudEvents 1.0 event in structured JSON, everything the bus can read.

An envelope's bytes are its own RFC 8785 form. That one rule leaves a value a single spelling: no key twice, no white
space, no escape, no float. The bytes that were signed are passed on as they are; nothing re-serialises them.
"""

from functools import cached_property
from typing import Annotated, Any, Final, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import from_json

from referral_contracts.codes import Code
from referral_contracts.encoding import ADDRESS, AGENCY, EVENT_ID, HASH, SUBJECT, TIME, lp, parse_time, sha256
from referral_contracts.errors import RemoteError
from referral_contracts.sealing import SealContext
from referral_contracts.topics import ENVELOPE_MAX
from referral_contracts.verbs import Verb, verb_of
from referral_contracts.wire import MAX_SECTIONS, Section

MAX_RECIPIENTS: Final = 32
"""One event's recipients. The on-scene team has four; the largest steering committee in law.md about twenty."""

_CASE_LABEL: Final = b"referral-bus/v1/case"

AgencyId: TypeAlias = Annotated[str, StringConstraints(pattern=AGENCY)]
Address: TypeAlias = Annotated[str, StringConstraints(pattern=ADDRESS)]
EventId: TypeAlias = Annotated[str, StringConstraints(pattern=EVENT_ID)]
Hash: TypeAlias = Annotated[str, StringConstraints(pattern=HASH)]


class _Wire(BaseModel):
    # Fields stand in alphabetical order in every wire model: the serializer writes them as declared.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class EventRef(_Wire):
    """An event, named so that only its very bytes fit."""

    id: EventId
    sha256: Hash


class HandoffKey(_Wire):
    """A hand-off: the event that opened it, and for whom."""

    opening: EventId
    recipient: Address

    def __str__(self) -> str:
        """Return ``opening recipient``: neither part can hold a space."""
        return f"{self.opening} {self.recipient}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the key that *text*, ``opening recipient``, spells."""
        opening, _, recipient = text.partition(" ")
        return cls(opening=opening, recipient=recipient)


class EventData(_Wire):
    """What the router reads of an event."""

    answers: EventRef | None = None
    """The event that this one answers: the head of its hand-off or case."""
    follows: EventRef | None = None
    """On an opening event: the event that ended an earlier hand-off of the case, which the new ones take up."""
    handoff: HandoffKey | None = None
    """Absent on an opening event itself and on case verbs."""
    # The first fault is enough: a list of a hundred thousand others would be described one by one.
    recipients: tuple[Address, ...] = Field(max_length=MAX_RECIPIENTS, fail_fast=True)
    sections: tuple[Section, ...] = Field(max_length=MAX_SECTIONS, fail_fast=True)
    supersedes: EventRef | None = None
    """The earlier event of the same source that this one corrects."""


class Envelope(_Wire):
    """One event in the clear. Section ``i`` is called ``s{i}``."""

    bus: AgencyId
    """Which bus: production, training. Another bus's event is refused."""
    data: EventData
    datacontenttype: Literal["application/json"] = "application/json"
    exercise: bool
    id: EventId
    source: AgencyId
    specversion: Literal["1.0"] = "1.0"
    subject: Annotated[str, StringConstraints(pattern=SUBJECT)]
    """The case pseudonym."""
    time: Annotated[str, StringConstraints(pattern=TIME)]
    """When it was signed for submission. When things happened is sealed."""
    type: Annotated[str, StringConstraints(max_length=100)]

    @classmethod
    def decode(cls, value: bytes) -> Self:
        """
        Return the envelope that *value* spells.

        Raises:
            RemoteError: Anything but the one spelling of a valid envelope.
        """
        if len(value) > ENVELOPE_MAX:
            raise RemoteError(Code.OVERSIZE, "envelope over its limit")
        try:
            envelope = cls.model_validate_json(value)
        except ValidationError:
            raise RemoteError(_fault(value)) from None
        envelope.verb  # noqa: B018 - an unknown type is refused here, once
        envelope.time_ms  # noqa: B018 - no such time: the same
        if envelope.encode() != value:
            raise RemoteError(Code.NOT_CANONICAL, "not its own RFC 8785 form")
        return envelope

    def encode(self) -> bytes:
        """Return the envelope's bytes, in RFC 8785 form."""
        return _to_json(self)

    @cached_property
    def verb(self) -> Verb:
        """What the event says happened."""
        return verb_of(self.type)

    @cached_property
    def time_ms(self) -> int:
        """`time` in milliseconds since the epoch; read several times on an event's way, at 2 µs each."""
        return parse_time(self.time)

    def seal_context(self, section: int) -> SealContext:
        """Return what binds section number *section* to this event."""
        return seal_context(self.bus, self.id, self.source, self.subject, self.data.handoff, section)


_serializer: Any = Envelope.__pydantic_serializer__


def _to_json(envelope: Envelope) -> bytes:
    found: bytes = _serializer.to_json(envelope, exclude_none=True)
    return found


def _fault(value: bytes) -> Code:
    # Nothing of pydantic's error is read: it can quote what was sent, and a thousand strange fields are a thousand.
    try:
        # To its models NaN and Infinity are JSON.
        from_json(value, allow_inf_nan=False)
    except ValueError:
        return Code.MALFORMED_JSON
    return Code.MALFORMED_ENVELOPE


def seal_context(  # noqa: PLR0917 - the parts of a context, in its own order
    bus: str, event_id: str, source: str, subject: str, handoff: HandoffKey | None, section: int
) -> SealContext:
    """Return what binds section number *section* to its event; known before the event is signed."""
    return SealContext(
        bus=bus,
        event_id=event_id,
        source=source,
        subject=subject,
        handoff=event_id if handoff is None else str(handoff),
        section=f"s{section}",
    )


def case_pseudonym(bus: str, source: str, opening_id: str) -> str:
    """
    Return the name of the case that *source* opens with the event *opening_id*: 32 lower-case hex digits.

    It proves its origin: nobody can choose it, use it again, or open it for another.
    """
    parts = lp(_CASE_LABEL, bus.encode("ascii"), source.encode("ascii"), opening_id.encode("ascii"))
    return sha256(parts)[:16].hex()
