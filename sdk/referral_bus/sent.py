"""What became of what was said: an outbox entry for each event, and the router's signed verdict once it is there."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from referral_contracts.codes import Code
from referral_contracts.decisions import Verdict
from referral_contracts.envelope import HandoffKey
from referral_contracts.errors import LocalError
from referral_contracts.lifecycle import OPENINGS
from referral_contracts.verbs import Verb


class EntryState(StrEnum):
    """How far an event has come."""

    SEALED = "sealed"
    """In the outbox; not yet signed."""
    SIGNED = "signed"
    """Its bytes are fixed; Kafka may or may not have them."""
    SUBMITTED = "submitted"
    """Kafka has it; no verdict yet."""
    ACCEPTED = "accepted"
    REFUSED = "refused"
    """The router said no; the verdict tells why."""
    FAILED = "failed"
    """Never submitted: what it depends on was refused, or it cannot be sealed or signed."""

    @property
    def settled(self) -> bool:
        """Whether nothing more will become of it."""
        return self is EntryState.ACCEPTED or self.dead

    @property
    def dead(self) -> bool:
        """Whether it never will stand."""
        return self in {EntryState.REFUSED, EntryState.FAILED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event of ours."""

    id: str
    draft: str
    """The draft it was a part of: what ties events whose recipients may not know of each other."""
    subject: str
    verb: Verb
    recipients: tuple[str, ...]
    handoff: HandoffKey | None
    """The hand-off that it answers; none where it opens some."""
    exercise: bool
    state: EntryState
    code: Code | None = None
    """Why it was refused or failed; of one that waits, what keeps it."""
    verdict: Verdict | None = None
    corrected_by: tuple[str, ...] = ()
    """The events of ours that correct it, oldest first: the last one counts. `ReferralBus.outbox` and `entry` tell."""
    voided_by: tuple[str, ...] = ()
    """Those that say that it was entered in error: the case, or a hand-off that it opened or was about. Likewise."""

    @property
    def handoffs(self) -> tuple[HandoffKey, ...]:
        """The hand-offs that the event opens or answers."""
        if self.verb in OPENINGS:
            return tuple(HandoffKey(opening=self.id, recipient=recipient) for recipient in self.recipients)
        return () if self.handoff is None else (self.handoff,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What became of one draft."""

    entries: tuple[Entry, ...]
    """One; several where recipients may not know of each other."""

    @property
    def subject(self) -> str:
        """The case."""
        return self.entries[0].subject

    @property
    def id(self) -> str:
        """The id of the event; of several, the first."""
        return self.entries[0].id

    @property
    def handoffs(self) -> tuple[HandoffKey, ...]:
        """The hand-offs opened or answered."""
        return tuple(key for entry in self.entries for key in entry.handoffs)

    @property
    def exercise(self) -> bool:
        """Whether it is only an exercise."""
        return self.entries[0].exercise

    @property
    def settled(self) -> bool:
        """Whether every event has its verdict, or never will go out."""
        return all(entry.state.settled for entry in self.entries)

    @property
    def accepted(self) -> bool:
        """Whether every event was accepted."""
        return all(entry.state is EntryState.ACCEPTED for entry in self.entries)

    @property
    def code(self) -> Code | None:
        """``accepted``, the first refusal's code, or None while a verdict is missing."""
        if self._dead:
            return self._dead[0].code or Code.INTERNAL
        return Code.ACCEPTED if self.accepted else None

    @property
    def _dead(self) -> tuple[Entry, ...]:
        # One that waits may have a code too: of what keeps it, a key that others have to renew.
        return tuple(entry for entry in self.entries if entry.state.dead)

    def check(self) -> Self:
        """
        Return this, unless something of it was refused. What has no verdict yet is not refused.

        Raises:
            Refused: With the first refusal's code.
        """
        if self._dead:
            raise Refused(self)
        return self

    @property
    def verdict(self) -> Verdict | None:
        """The verdict on the first event."""
        return self.entries[0].verdict

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The verdicts that are there."""
        return tuple(entry.verdict for entry in self.entries if entry.verdict is not None)


class Refused(LocalError):
    """The bus has refused something of what was said, or it could not be submitted: it never will stand."""

    def __init__(self, sent: Sent) -> None:
        """Tell what was refused."""
        super().__init__(sent.code or Code.INTERNAL, "what was said does not stand")
        self.sent = sent


class TimedOut(LocalError):
    """The wait is over and the verdict is not there. What was said stays in the outbox and goes out when it can."""

    def __init__(self, sent: Sent, cause: Code | None) -> None:
        """Tell what is waiting, and what keeps it, as far as we know."""
        super().__init__(Code.TIMED_OUT, "no verdict yet" if cause is None else f"no verdict yet: {cause.value}")
        self.sent = sent
        self.cause = cause
