"""
One clock: what it counts, what has happened to it, and what it says when.

A clock is worked out from what was heard of its case (`docket`), and from nothing else: in whatever order that came,
the same clock comes out. Nothing is written when time passes: whether it is missed follows from the clock and from the
last moment that the ledger has seen.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final

from referral_contracts.encoding import lp, sha256
from referral_contracts.payloads.base import Choice
from referral_contracts.rules.book import RuleInForce
from referral_contracts.rules.heard import Stamp
from referral_contracts.rules.pack import Escalation

_LABEL: Final = b"referral-bus clock v1"


class State(Choice):
    """Whether a clock runs."""

    RUNNING = "running", "đang tính", "running"
    PAUSED = "paused", "tạm dừng", "paused"
    ENDED = "ended", "đã kết thúc", "ended"


class Outcome(Choice):
    """What came of a clock: exactly one."""

    MET = "met", "đúng hạn", "met"
    CLAIMED = "met-as-claimed", "đúng hạn theo khai báo, ghi nhận muộn", "met as claimed, recorded late"
    MISSED = "missed", "quá hạn", "missed"
    CANCELLED = "cancelled", "không còn áp dụng", "cancelled"
    DISPUTED = "disputed", "đang có ý kiến khác", "disputed"
    MEASURED = "measured", "đã làm, chỉ đo thời gian", "done, only measured"
    """There was no due instant that could be missed: no limit, none that anybody has read, or nobody to be late."""


class Step(StrEnum):
    """What a clock says."""

    ARMED = "armed"
    REMINDED = "reminded"
    MISSED = "missed"
    ESCALATED = "escalated"
    EXPLAINED = "explained"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a clock says, and the moment that has to have passed before."""

    step: Step
    number: int
    """Which of its kind, from 0."""
    after_ms: int
    """A moment later than this has to be seen on the ledger."""
    level: Escalation | None = None
    """Whom it goes to, where that is not the responsible agency."""

    @property
    def key(self) -> str:
        """Its name within its clock."""
        return f"{self.step.value}/{self.number}"


MISSED: Final = f"{Step.MISSED.value}/0"
EXPLAINED: Final = f"{Step.EXPLAINED.value}/0"
"""The keys of what is said when it is missed, and of what is added later."""


@dataclass(frozen=True)
class Clock:
    """One clock of a case, as what was heard makes it. What follows from it is worked out once."""

    id: str
    rule: RuleInForce
    scope: str
    """The hand-off, as ``opening id/recipient``; empty: the case."""
    cycle: int
    started: Stamp
    armed_ms: int
    """When the ledger had all that armed it."""
    settled_ms: int
    """Nothing is called missed before: what was only just armed may be on its way on paper."""
    responsible: str | None
    """Whose clock it is; None: nobody was found, and nobody is accused."""
    due_ms: int | None
    """Until when something is in time, by the strict reading; None: no limit, or it stands still."""
    lenient_ms: int | None
    """
    The same by the lenient reading: nothing is late before. An earlier start that was told afterwards moves it only as
    far as leaves time to act.
    """
    province: str | None = None
    commune: str | None = None
    """Where it was triggered."""
    provisional: bool = False
    paused: bool = False
    second: Stamp | None = None
    """What is measured beside."""
    done: Stamp | None = None
    cancelled: Stamp | None = None
    delay_told: Stamp | None = None
    told_ms: int | None = None
    """Nothing is called missed before, either: its agency has only just been told that it runs."""
    extended_by: str | None = None
    """The event that extended it last."""
    disputed_by: str | None = None
    confirmed_by: str | None = None

    @cached_property
    def accuses(self) -> bool:
        """Whether it can be missed."""
        return (
            self.rule.accuses
            and self.responsible is not None
            and self.disputed_by is None
            and self.lenient_ms is not None
        )

    @cached_property
    def alarm_ms(self) -> int | None:
        """It is missed once a later moment than this is on the ledger; None: never."""
        return self.late_ms if self.accuses else None

    @property
    def late_ms(self) -> int:
        """Nothing is called late before this moment has passed."""
        return max(self.lenient_ms or 0, self.settled_ms, self.told_ms or 0)

    @cached_property
    def outcome(self) -> Outcome | None:
        """What came of it by what was heard, and not by the passing of time; None: it goes on."""
        done, late = self.done, self.lenient_ms
        in_time = done is not None and (late is None or done.moment_ms <= late)
        if done is not None and in_time and late is not None and done.admitted_ms <= late:
            return Outcome.MET
        blameless = not self.rule.accuses or self.responsible is None or late is None
        if self.cancelled is not None and (blameless or late is None or self.cancelled.moment_ms <= late):
            return Outcome.CANCELLED
        if done is None and self.cancelled is None:
            return None
        if blameless:
            return Outcome.MEASURED
        if in_time:
            return Outcome.CLAIMED
        # It was late already when it was done, or when it was asked for no more.
        return Outcome.MISSED if self.disputed_by is None else Outcome.DISPUTED

    def outcome_at(self, ledger_ms: int) -> Outcome | None:
        """Return what came of it when the ledger has seen *ledger_ms*."""
        if self.outcome is not None:
            return self.outcome
        alarm = self.alarm_ms
        if alarm is not None and ledger_ms > alarm:
            return Outcome.MISSED
        disputed = self.disputed_by is not None and self.lenient_ms is not None and ledger_ms > self.lenient_ms
        return Outcome.DISPUTED if disputed and self.rule.accuses else None

    def state_at(self, ledger_ms: int) -> State:
        """Return whether it runs when the ledger has seen *ledger_ms*."""
        if self.outcome_at(ledger_ms) is not None:
            return State.ENDED
        return State.PAUSED if self.paused else State.RUNNING

    def overdue(self, ledger_ms: int) -> bool:
        """Whether it is missed and what it asks for is still to be done."""
        return self.outcome is None and self.outcome_at(ledger_ms) is Outcome.MISSED

    @cached_property
    def notices(self) -> tuple[Notice, ...]:
        """What it says while nothing else is heard of it, in the order of time."""
        return tuple(self._notices())

    def _notices(self) -> Iterator[Notice]:
        if self.outcome is not None or self.due_ms is None or self.responsible is None:
            return
        rule, alarm = self.rule.rule, self.alarm_ms
        before = [(self.due_ms - span, number) for number, span in enumerate(rule.remind_ms)]
        # What was due to be said before it was armed, the arming itself says.
        yield from (Notice(Step.REMINDED, number, at) for at, number in before if at > self.armed_ms)
        if alarm is None:
            return
        yield Notice(Step.MISSED, 0, alarm)
        after = [(alarm + wait, level) for level in rule.escalate or () for wait in level.moments_ms]
        for number, (at, level) in enumerate(after):
            yield Notice(Step.ESCALATED, number, at, level)

    def due_notices(self, ledger_ms: int, said: Collection[str]) -> Iterator[Notice]:
        """Yield what is to be said now that the ledger has seen *ledger_ms*; *said* are the keys of what was."""
        if self.outcome is not None and MISSED in said and EXPLAINED not in said:
            # It was called missed, and more is known now: that is added, and nothing taken back.
            yield Notice(Step.EXPLAINED, 0, self.armed_ms)
        late = self.alarm_ms is not None and ledger_ms > self.alarm_ms
        for notice in self.notices:
            outdated = late and notice.step is Step.REMINDED
            if notice.after_ms < ledger_ms and not outdated and notice.key not in said:
                yield notice

    def next_ms(self, ledger_ms: int) -> int | None:
        """Return the moment that has to pass before it says something that is not due at *ledger_ms* yet."""
        return min((notice.after_ms for notice in self.notices if notice.after_ms >= ledger_ms), default=None)


def clock_id(bus: str, subject: str, rule_id: str, scope: str, cycle: int) -> str:
    """Return the name of a clock: the first 128 bits of a hash over what there is one of."""
    parts = (bus, subject, rule_id, scope, str(cycle))
    return sha256(lp(_LABEL, *(part.encode() for part in parts)))[:16].hex()
