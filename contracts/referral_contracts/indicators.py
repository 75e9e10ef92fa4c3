"""
The indicators that the plans ask for, worked out from what a statistics agency was told. Pure.

A child is counted once, however many cases tell of it (`same-child` links). What was only practised never comes here.
Rates are of clocks, per rule and role; what rests on the bus's own policy is told apart from law.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from referral_contracts.payloads.deadline import Ground, Standing
from referral_contracts.payloads.stats import Stats, Timeliness

AGES: Final = (1, 7, 30, 90)
"""Days: what waits is told apart by how long it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A case that somebody told of."""

    subject: str
    stats: Stats


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a clock stands, as it was told last."""

    clock: str
    subject: str
    rule: str
    ground: Ground
    role: str
    standing: Standing
    started_on: date
    done: bool
    """Whether what it asks for was done, in time or late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """The clocks of one rule and role that have ended."""

    rule: str
    role: str
    ground: Ground
    met: int
    claimed: int
    """Done in time by their own word, and recorded late: in neither part of the rate until a superior confirms."""
    missed: int
    disputed: int
    cancelled: int

    @property
    def on_time(self) -> float | None:
        """Met, over met and missed; None: there are none."""
        judged = self.met + self.missed
        return self.met / judged if judged else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Children without a measure, by place and by how long."""

    province: str | None
    commune: str | None
    days: int
    """For more than so many days; 0: for less than any of `AGES`."""
    children: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicators:
    """What is counted of a period."""

    since: date
    until: date
    """The last day of it."""
    cases: int
    children: int
    with_measure: int
    """Children for whom a measure was taken in time."""
    claimed_measure: int
    """Children for whom it was by an agency's own word: recorded late and not confirmed, or told with the counts."""
    late_measure: int
    """Children for whom one was taken, and late."""
    backlog: int
    """Clocks that were missed, and what they ask for is still not done."""
    rates: tuple[Rate, ...]
    waiting: tuple[Waiting, ...]
    """Children for whom no measure is on record."""
    by: Mapping[str, Mapping[str, int]]
    """Children by each of `BY`."""

    @property
    def timely(self) -> float | None:
        """The share of children with a measure in time; None: there are no children."""
        return self.with_measure / self.children if self.children else None


BY: Final = ("form", "age_band", "sex", "province", "commune")
UNKNOWN: Final = "unknown"
MEASURES: Final = frozenset(
    {
        "emergency-measures-12h",
        "emergency-protection-asap-12h",
        "separation-decision-12h",
        "demo-emergency-measures",
    }
)
"""The rules that a measure for the child ends: what is asked is whether each child had one in time."""


def indicators(
    told: Iterable[Told],
    ended: Iterable[Ended],
    *,
    same_child: Iterable[tuple[str, str]],
    measures: Collection[str],
    since: date,
    until: date,
) -> Indicators:
    """
    Return the indicators of the days from *since* to *until*.

    Args:
        told: One for each case, as told last.
        ended: One for each clock, as told last.
        same_child: Pairs of cases that are of one child.
        measures: The rules that a measure for the child ends.
        since: A case belongs to the day on which its information came in, a clock to that on which it started.
        until: The last day.
    """
    cases = [one for one in told if since <= one.stats.received_on <= until]
    clocks = [one for one in ended if since <= one.started_on <= until]
    children = _children(cases, same_child)
    of_measures: dict[str, list[Ended]] = {}
    for clock in clocks:
        if clock.rule in measures:
            of_measures.setdefault(clock.subject, []).append(clock)
    reached = [_of_child(child, of_measures) for child in children]
    found = Counter(reached)
    return Indicators(
        since=since,
        until=until,
        cases=len(cases),
        children=len(children),
        with_measure=found[Standing.MET],
        claimed_measure=found[Standing.MET_AS_CLAIMED],
        late_measure=found[Standing.MISSED],
        backlog=sum(clock.standing is Standing.MISSED and not clock.done for clock in clocks),
        rates=_rates(clocks),
        waiting=_waiting([child for child, how in zip(children, reached, strict=True) if how is None], until),
        by={name: _by(children, name) for name in BY},
    )


def _children(cases: Sequence[Told], same: Iterable[tuple[str, str]]) -> list[list[Told]]:
    """Return the cases of each child, the earliest case first."""
    chief = {case.subject: case.subject for case in cases}

    def find(subject: str) -> str:
        # A link may lead through cases that lie outside the period.
        while chief.setdefault(subject, subject) != subject:
            chief[subject] = subject = chief[chief[subject]]
        return subject

    for one, other in same:
        chief[find(one)] = find(other)
    found: dict[str, list[Told]] = {}
    for case in sorted(cases, key=lambda case: (case.stats.received_on, case.subject)):
        found.setdefault(find(case.subject), []).append(case)
    return list(found.values())


def _of_child(child: Sequence[Told], clocks: Mapping[str, Sequence[Ended]]) -> Standing | None:
    """Return what the watcher told of a child's clocks, or else what agencies claim of it."""
    found = _reached([clock for case in child for clock in clocks.get(case.subject, ())])
    said = {case.stats.measure for case in child}
    if found is None and Timeliness.IN_TIME in said:
        return Standing.MET_AS_CLAIMED
    return Standing.MISSED if found is None and Timeliness.LATE in said else found


def _reached(clocks: Sequence[Ended]) -> Standing | None:
    """Return the best that was reached for a child: in time, in time as claimed, late (`MISSED`); None: nothing yet."""
    standings = {clock.standing for clock in clocks}
    for best in (Standing.MET, Standing.MET_AS_CLAIMED):
        if best in standings:
            return best
    return Standing.MISSED if any(clock.done for clock in clocks) else None


def _rates(clocks: Iterable[Ended]) -> tuple[Rate, ...]:
    found: dict[tuple[str, str, Ground], Counter[Standing]] = {}
    for clock in clocks:
        found.setdefault((clock.rule, clock.role, clock.ground), Counter())[clock.standing] += 1
    return tuple(
        Rate(
            rule=rule,
            role=role,
            ground=ground,
            met=told[Standing.MET],
            claimed=told[Standing.MET_AS_CLAIMED],
            missed=told[Standing.MISSED],
            disputed=told[Standing.DISPUTED],
            cancelled=told[Standing.CANCELLED],
        )
        for (rule, role, ground), told in sorted(found.items())
    )


def _waiting(children: Iterable[Sequence[Told]], until: date) -> tuple[Waiting, ...]:
    found: Counter[tuple[str, str, int]] = Counter()
    for child in children:
        stats = child[0].stats
        waited = (until - stats.received_on).days
        days = max((days for days in AGES if waited > days), default=0)
        found[stats.province or "", stats.commune or "", days] += 1
    return tuple(
        Waiting(province=province or None, commune=commune or None, days=days, children=count)
        for (province, commune, days), count in sorted(found.items(), key=lambda item: (-item[0][2], item[0]))
    )


def _by(children: Iterable[Sequence[Told]], name: str) -> Mapping[str, int]:
    """Return the children by *name*, as their earliest case tells it; a commune with its province in front."""
    counted: Counter[str] = Counter()
    for child in children:
        stats = child[0].stats
        value = getattr(stats, name) or UNKNOWN
        counted[f"{stats.province or UNKNOWN}/{value}" if name == "commune" else str(value)] += 1
    return dict(sorted(counted.items()))
