"""What a step did, for the metrics: by rule, role and basis, never by case, agency or place, and no exercise."""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from deadline_watcher.core.case import Case
from referral_contracts.rules.book import RuleInForce
from referral_contracts.rules.clock import Clock, Outcome


class Label(NamedTuple):
    """What clocks are counted by."""

    rule: str
    role: str
    basis: str


def label_of(clock: Clock) -> Label:
    """Return what *clock* is counted by."""
    return label_of_rule(clock.rule)


def label_of_rule(rule: RuleInForce) -> Label:
    """Return what the clocks of *rule* are counted by."""
    return Label(rule.id, rule.rule.role_name, rule.basis.value)


@dataclass(slots=True)
class Tally:
    """What a step did."""

    armed: Counter[Label] = field(default_factory=Counter)
    outcomes: Counter[tuple[Label, Outcome]] = field(default_factory=Counter)
    """Ends by what was heard. That a clock is missed counts when it was said: see `missed`."""
    missed: Counter[Label] = field(default_factory=Counter)
    answer_ms: list[tuple[Label, int]] = field(default_factory=list)
    """From the start of a clock to what it asks for."""
    late_ms: list[tuple[Label, int]] = field(default_factory=list)
    """From the due instant to what it asks for."""
    fired_ms: list[int] = field(default_factory=list)
    """From the moment after which a clock is missed to the miss on the ledger."""
    sections: Counter[str] = field(default_factory=Counter)
    notices: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By the notice's kind and what became of it."""
    strange: int = 0
    """Records that the router did not write."""

    def compare(self, before: Case, after: Case) -> None:
        """Count what became of a case's clocks."""
        if after.exercise:
            return
        known = {clock.id: clock for clock in before.docket.clocks}
        for clock in after.docket.clocks:
            old = known.get(clock.id)
            if old is clock:
                continue
            label = label_of(clock)
            if old is None:
                self.armed[label] += 1
            self._ended(label, old, clock)

    def _ended(self, label: Label, old: Clock | None, clock: Clock) -> None:
        outcome = clock.outcome
        disputed = clock.disputed_by is not None and (old is None or old.disputed_by is None)
        if disputed and outcome is not Outcome.DISPUTED:
            self.outcomes[label, Outcome.DISPUTED] += 1
        if outcome is not None and outcome is not Outcome.MISSED and (old is None or old.outcome is not outcome):
            self.outcomes[label, outcome] += 1
        if clock.done is not None and (old is None or old.done is None):
            self.answer_ms.append((label, clock.done.moment_ms - clock.started.moment_ms))
            if clock.lenient_ms is not None and clock.done.moment_ms > clock.lenient_ms:
                self.late_ms.append((label, clock.done.moment_ms - clock.lenient_ms))
