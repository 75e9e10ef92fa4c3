"""
The lifecycle verbs: what an event says happened, in the past tense.

A verb is the middle of an event's ``type``: ``vn.referral-bus.handoff.offered.v1``.
"""

from enum import StrEnum
from typing import Final

from referral_contracts.codes import Code
from referral_contracts.errors import RemoteError

TYPE_PREFIX: Final = "vn.referral-bus."
WIRE_VERSION: Final = "v1"


class Verb(StrEnum):
    """Everything an agency can say, and what the deadline watcher says."""

    CASE_OPENED = "case.opened"
    CASE_TRANSFER_OFFERED = "case.transfer.offered"
    CASE_TRANSFER_ACCEPTED = "case.transfer.accepted"
    CASE_TRANSFER_DECLINED = "case.transfer.declined"
    CASE_TRANSFER_WITHDRAWN = "case.transfer.withdrawn"
    CASE_NOTED = "case.noted"
    CASE_CORRECTED = "case.corrected"
    CASE_LINKED = "case.linked"
    CASE_UNLINKED = "case.unlinked"
    CASE_CLOSED = "case.closed"
    CASE_REOPENED = "case.reopened"
    CASE_VOIDED = "case.voided"

    OFFERED = "handoff.offered"
    ASSIGNED = "handoff.assigned"
    NOTIFIED = "handoff.notified"
    RECEIVED = "handoff.received"
    UNREADABLE = "handoff.unreadable"
    ACCEPTED = "handoff.accepted"
    DECLINED = "handoff.declined"
    EXPIRED = "handoff.expired"
    WITHDRAWN = "handoff.withdrawn"
    FORWARDED = "handoff.forwarded"
    PROGRESSED = "handoff.progressed"
    SUSPENDED = "handoff.suspended"
    RESUMED = "handoff.resumed"
    COMPLETED = "handoff.completed"
    FAILED = "handoff.failed"
    RETURNED = "handoff.returned"
    CANCELLED = "handoff.cancelled"
    REOPENED = "handoff.reopened"
    CLOSED = "handoff.closed"
    MOVED = "handoff.moved"
    ASKED = "handoff.asked"
    ANSWERED = "handoff.answered"
    CORRECTED = "handoff.corrected"
    VOIDED = "handoff.voided"
    RECALLED = "handoff.recalled"
    MISDIRECTED = "handoff.misdirected"

    CLOCK_DISPUTED = "clock.disputed"
    CLOCK_EXTENDED = "clock.extended"
    CLOCK_CONFIRMED = "clock.confirmed"

    DEADLINE_ARMED = "deadline.armed"
    DEADLINE_REMINDED = "deadline.reminded"
    DEADLINE_MISSED = "deadline.missed"
    DEADLINE_ESCALATED = "deadline.escalated"
    DEADLINE_EXPLAINED = "deadline.explained"
    DEADLINE_UNREADABLE = "deadline.unreadable"

    @property
    def type(self) -> str:
        """The CloudEvents ``type`` of this verb."""
        return f"{TYPE_PREFIX}{self.value}.{WIRE_VERSION}"

    @property
    def of_case(self) -> bool:
        """Whether the verb speaks of a whole case and not of one hand-off."""
        return not self.value.startswith("handoff.")

    @property
    def judged_as(self) -> "Verb":
        """The verb by which policy decides to whom this one may be said: who may be told a note, may be its like."""
        corrected_or_tied = {Verb.CASE_CORRECTED, Verb.CASE_LINKED, Verb.CASE_UNLINKED}
        return Verb.CASE_NOTED if self in corrected_or_tied | CLOCKS else self


CLOCKS: Final = frozenset({Verb.CLOCK_DISPUTED, Verb.CLOCK_EXTENDED, Verb.CLOCK_CONFIRMED})
"""What a party says of a clock that runs already. Whether it is for that party to say, the deadline watcher judges."""

DEADLINES: Final = frozenset(
    {
        Verb.DEADLINE_ARMED,
        Verb.DEADLINE_REMINDED,
        Verb.DEADLINE_MISSED,
        Verb.DEADLINE_ESCALATED,
        Verb.DEADLINE_EXPLAINED,
        Verb.DEADLINE_UNREADABLE,
    }
)
"""What the deadline watcher says of a case, to one agency at a time, though it is no party."""

_BY_TYPE: Final = {verb.type: verb for verb in Verb}


def verb_of(event_type: str) -> Verb:
    """
    Return the verb of a CloudEvents ``type``.

    Raises:
        RemoteError: No such verb, or a version of the wire that this code does not speak.
    """
    verb = _BY_TYPE.get(event_type)
    if verb is not None:
        return verb
    name, _, version = event_type.rpartition(".")
    known = f"{name}.{WIRE_VERSION}" in _BY_TYPE and version[:1] == "v" and version[1:].isdecimal()
    raise RemoteError(Code.UNKNOWN_VERSION if known else Code.UNKNOWN_TYPE)
