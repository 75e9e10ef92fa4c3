"""
What came of the clocks of a period, counted from what the watcher keeps: by rule and role, and of children.

Exercises are in none of it. A child is counted once, however many cases are linked as its own.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final

from deadline_watcher.core.case import Case
from deadline_watcher.core.tally import Label, label_of
from referral_contracts.clock_counts import ClockCounts, Measures, Overdue, RuleCount
from referral_contracts.indicators import AGES, MEASURES
from referral_contracts.payloads.shown import VIET_NAM
from referral_contracts.rules.clock import Clock, Outcome
from referral_contracts.rules.pack import Basis
from referral_contracts.rules.spans import DAY

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIELDS: Final[Mapping[Outcome | None, str]] = {
    Outcome.MET: "met",
    Outcome.CLAIMED: "claimed",
    Outcome.MISSED: "missed",
    Outcome.DISPUTED: "disputed",
    Outcome.CANCELLED: "cancelled",
    Outcome.MEASURED: "measured",
    None: "running",
}
_REACHED: Final = (
    (Outcome.MET, "in_time"),
    (Outcome.CLAIMED, "claimed"),
    (Outcome.MISSED, "late"),
    (Outcome.DISPUTED, "disputed"),
    (Outcome.MEASURED, "untimed"),
    (Outcome.CANCELLED, "ruled_out"),
)
"""What was reached for a child, the best first."""


@dataclass(slots=True)
class _Child:
    """What is asked of one child."""

    cases: int = 0
    reached: set[Outcome] = field(default_factory=set)
    open: bool = False


class Counting:
    """Takes cases, one by one, of all partitions; `counts` says what they come to."""

    def __init__(self, since: date, until: date, now_ms: int, *, measures: Collection[str] = MEASURES) -> None:
        """
        Count what began on the days from *since* to *until*.

        Args:
            since: The first day.
            until: The last day.
            now_ms: Up to when what is overdue has waited: the ledger sees no moment in which nothing is due.
            measures: The rules that ask for a measure for a child.
        """
        self._since, self._until, self._now_ms, self._measures = since, until, now_ms, measures
        self._rules: Counter[tuple[Label, str]] = Counter()
        self._overdue: Counter[tuple[Label, int]] = Counter()
        self._chief: dict[str, str] = {}
        self._found: dict[str, _Child] = {}

    def take(self, case: Case, ledger_ms: int) -> None:
        """Count *case*, as it stands when the ledger has seen *ledger_ms*."""
        if case.exercise:
            return
        subject = case.docket.subject
        for other in case.links:
            self._chief[self._find(subject)] = self._find(other)
        for clock in case.docket.clocks:
            if self._since <= _day(clock.started.moment_ms) <= self._until:
                self._clock(subject, clock, ledger_ms)

    def _clock(self, subject: str, clock: Clock, ledger_ms: int) -> None:
        outcome, label = clock.outcome_at(ledger_ms), label_of(clock)
        self._rules[label, _FIELDS[outcome]] += 1
        if clock.overdue(ledger_ms):
            days = (self._now_ms - (clock.lenient_ms or 0)) // DAY
            self._overdue[label, max((age for age in AGES if days >= age), default=0)] += 1
        child = self._found.setdefault(subject, _Child())
        child.open |= clock.outcome is None and clock.rule.basis is Basis.LAW
        if clock.rule.id in self._measures:
            child.cases = 1
            if clock.outcome is not None:
                # What is late and not done has no outcome by what was heard: it is waited for.
                child.reached.add(Outcome.CANCELLED if clock.done is None else clock.outcome)

    def counts(self, bus: str, ledger_ms: int) -> ClockCounts:
        """Return what was counted, the ledger of every partition seen up to *ledger_ms*."""
        found: dict[Label, Counter[str]] = {}
        for (label, name), count in self._rules.items():
            found.setdefault(label, Counter())[name] = count
        return ClockCounts(
            bus=bus,
            since=self._since,
            until=self._until,
            as_of=_EPOCH + timedelta(milliseconds=ledger_ms),
            rules=tuple(RuleCount.model_validate({**label._asdict(), **told}) for label, told in sorted(found.items())),
            overdue=tuple(
                Overdue.model_validate({**label._asdict(), "days": days, "clocks": count})
                for (label, days), count in sorted(self._overdue.items(), key=lambda item: (-item[0][1], item[0][0]))
            ),
            measures=self._of_children(),
        )

    def _of_children(self) -> Measures:
        children: dict[str, list[_Child]] = {}
        for subject, child in self._found.items():
            children.setdefault(self._find(subject), []).append(child)
        measured = [cases for cases in children.values() if any(case.cases for case in cases)]
        reached: Counter[str] = Counter()
        for cases in measured:
            found = set().union(*(case.reached for case in cases))
            reached[next((name for outcome, name in _REACHED if outcome in found), "waiting")] += 1
        return Measures(
            cases=sum(case.cases for cases in measured for case in cases),
            children=len(measured),
            complete=sum(not any(case.open for case in cases) for cases in measured),
            **reached,
        )

    def _find(self, subject: str) -> str:
        while self._chief.setdefault(subject, subject) != subject:
            self._chief[subject] = subject = self._chief[self._chief[subject]]
        return subject


def _day(ms: int) -> date:
    return (_EPOCH + timedelta(milliseconds=ms)).astimezone(VIET_NAM).date()
