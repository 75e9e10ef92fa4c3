"""
What the watcher counts: by rule, role and basis. No label carries a case, an agency or a place.

Exercises are in none of these. Counters begin at nothing when the process does; what stands is in the gauges.
"""

from collections import Counter as Counted
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from deadline_watcher.core.case import GIVEN_UP, SAID, Shown
from deadline_watcher.core.opening import Result
from deadline_watcher.core.tally import Label, Tally
from referral_contracts.rules.clock import Outcome
from referral_contracts.verbs import DEADLINES

_LABELS: Final = ("rule", "role", "basis")
_HOURS: Final = tuple(3600.0 * hours for hours in (1, 4, 8, 12, 24, 48, 72, 168, 336, 720, 2160))
_SOON: Final = (1.0, 10.0, 60.0, 600.0)
_FIRING_S: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 3600.0)
_OLDER_THAN: Final = {"5m": 300, "15m": 900, "1h": 3_600, "4h": 14_400, "24h": 86_400}


class ClockMetrics:
    """The watcher's own metrics."""

    def __init__(self, registry: CollectorRegistry, clock: Callable[[], int], rules: Iterable[Label] = ()) -> None:
        """Register everything; *clock* is now, in milliseconds. Of what *rules* count there are zeros at once."""
        self._clock = clock

        def counter(name: str, text: str, *more: str) -> Counter:
            return Counter(f"referral_bus_{name}", text, [*_LABELS, *more], registry=registry)

        self._armed = counter("clocks_armed", "Clocks that were started")
        self._met = counter("clocks_met", "Clocks that were met, in time or as claimed", "how")
        self._missed = counter("clocks_missed", "Clocks that were called missed")
        self._cancelled = counter("clocks_cancelled", "Clocks that need not be counted any more")
        self._disputed = counter("clocks_disputed", "Clocks that the responsible agency disputes")
        self._measured = counter("clocks_measured", "Clocks without a due instant that ended")
        self._running = Gauge("referral_bus_clocks_running", "Clocks that run", _LABELS, registry=registry)
        self._overdue = Gauge(
            "referral_bus_clocks_overdue", "Clocks that were called missed, and are open", _LABELS, registry=registry
        )
        self._oldest = Gauge(
            "referral_bus_oldest_overdue_seconds", "Age of the oldest overdue clock", _LABELS, registry=registry
        )
        self._answer = Histogram(
            "referral_bus_clock_answer_seconds",
            "From the start of a clock to what it asks for",
            _LABELS,
            buckets=(*_SOON, *_HOURS),
            registry=registry,
        )
        self._late = Histogram(
            "referral_bus_clock_lateness_seconds",
            "From the due instant to what was asked for",
            _LABELS,
            buckets=(*_SOON, *_HOURS),
            registry=registry,
        )
        self._watched(registry)
        for label in rules:
            self._begin(label)

    def _begin(self, label: Label) -> None:
        """Show zeros: of a counter that begins at one, nobody could tell that it has grown."""
        for metric in (self._armed, self._missed, self._cancelled, self._disputed, self._measured):
            metric.labels(*label)
        for how in ("in-time", "claimed"):
            self._met.labels(*label, how)
        for gauge in (self._running, self._overdue, self._oldest):
            gauge.labels(*label)
        for histogram in (self._answer, self._late):
            histogram.labels(*label)

    def _watched(self, registry: CollectorRegistry) -> None:
        """Register what is about the watcher itself."""
        self._fired = Histogram(
            "referral_bus_watcher_firing_delay_seconds",
            "From the moment after which a clock is missed to the miss on the ledger",
            buckets=_FIRING_S,
            registry=registry,
        )
        self._lag = Gauge(
            "referral_bus_watcher_lag_seconds", "How far the watcher is behind the ledger", registry=registry
        )
        self._sections = Counter(
            "referral_bus_watcher_clock_sections",
            "Clock sections by what became of them",
            ["result"],
            registry=registry,
        )
        self._notices = Counter(
            "referral_bus_watcher_notices",
            "Notices by kind and what became of them",
            ["kind", "result"],
            registry=registry,
        )
        self._strange = Counter(
            "referral_bus_watcher_strange_records", "Ledger records that the router did not write", registry=registry
        )
        self._unreceived = Gauge(
            "referral_bus_deliveries_unreceived", "Hand-offs without a receipt", ["older_than"], registry=registry
        )
        for result in Result:
            self._sections.labels(result.value)
        for kind in DEADLINES:
            for became in (SAID, GIVEN_UP):
                self._notices.labels(kind.value.removeprefix("deadline."), became)

    def took(self, tally: Tally) -> None:
        """Count what a step did."""
        for label, count in tally.armed.items():
            self._armed.labels(*label).inc(count)
        for label, count in tally.missed.items():
            self._missed.labels(*label).inc(count)
        for (label, outcome), count in tally.outcomes.items():
            self._ended(label, outcome, count)
        for label, ms in tally.answer_ms:
            self._answer.labels(*label).observe(ms / 1000)
        for label, ms in tally.late_ms:
            self._late.labels(*label).observe(ms / 1000)
        for ms in tally.fired_ms:
            self._fired.observe(max(0, ms) / 1000)
        for result, count in tally.sections.items():
            self._sections.labels(result).inc(count)
        for (kind, result), count in tally.notices.items():
            self._notices.labels(kind, result).inc(count)
        self._strange.inc(tally.strange)

    def unsaid(self, kind: str, result: str, count: int = 1) -> None:
        """Count notices that could not be sealed, or not even be written."""
        self._notices.labels(kind, result).inc(count)

    def _ended(self, label: Label, outcome: Outcome, count: int) -> None:
        match outcome:
            case Outcome.MET:
                self._met.labels(*label, "in-time").inc(count)
            case Outcome.CLAIMED:
                self._met.labels(*label, "claimed").inc(count)
            case Outcome.CANCELLED:
                self._cancelled.labels(*label).inc(count)
            case Outcome.DISPUTED:
                self._disputed.labels(*label).inc(count)
            case Outcome.MEASURED:
                self._measured.labels(*label).inc(count)
            case Outcome.MISSED:
                self._missed.labels(*label).inc(count)

    def show(self, shown: Iterable[Counted[Shown]], *, behind_ms: int) -> None:
        """Show the clocks that run, of all partitions of this process, and how far it is behind."""
        now_ms = self._clock()
        running: Counted[Label] = Counted()
        overdue: Counted[Label] = Counted()
        oldest: defaultdict[Label, int] = defaultdict(lambda: now_ms)
        unreceived: Counted[str] = Counted()
        for one, count in (item for clocks in shown for item in clocks.items()):
            label = Label(one.rule, one.role, one.basis)
            running[label] += count
            if one.overdue_ms is not None:
                overdue[label] += count
                if count:
                    oldest[label] = min(oldest[label], one.overdue_ms)
            if one.since_ms is not None:
                age_s = (now_ms - one.since_ms) / 1000
                unreceived.update({name: count for name, older_s in _OLDER_THAN.items() if age_s > older_s})
        for label in running:
            self._running.labels(*label).set(running[label])
            self._overdue.labels(*label).set(overdue[label])
            self._oldest.labels(*label).set((now_ms - oldest[label]) / 1000)
        for name in _OLDER_THAN:
            self._unreceived.labels(name).set(unreceived[name])
        self._lag.set(behind_ms / 1000)
