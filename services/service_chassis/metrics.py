"""
What a service counts. Names start with referral_bus_; no label carries a key, an id or a name.

Every child is looked up once: a lookup costs as much as five increments.
"""

from collections.abc import Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from referral_contracts.errors import Fatal
from service_chassis.transaction import Fenced, Unproducible

_SECONDS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)
_WAIT_S: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0)
_RECORDS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_RESTORE_S: Final = (0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 30.0, 60.0, 120.0)


class Metrics:
    """The metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        """Register everything."""
        self.registry = registry = CollectorRegistry()
        self._records = Counter("referral_bus_records", "Input records by outcome code", ["outcome"], registry=registry)
        self._exercises = Counter(
            "referral_bus_exercises",
            "Exercises by outcome code: no other count has them",
            ["outcome"],
            registry=registry,
        )
        self._transactions = Counter(
            "referral_bus_transactions", "Transactions by result", ["result"], registry=registry
        )
        self._duration = Histogram(
            "referral_bus_transaction_duration_seconds",
            "From a batch to its commit",
            buckets=_SECONDS,
            registry=registry,
        )
        self._batch = Histogram(
            "referral_bus_batch_size", "Input records a transaction", buckets=_RECORDS, registry=registry
        )
        self._lag = Gauge("referral_bus_lag_records", "Input not yet taken", ["topic", "partition"], registry=registry)
        self._restore = Histogram(
            "referral_bus_restore_duration_seconds", "Reading a state", buckets=_RESTORE_S, registry=registry
        )
        self._state = Gauge("referral_bus_state_bytes", "Bytes that the states hold", registry=registry)
        self._stuck = Gauge("referral_bus_stuck_partitions", "Partitions that wait for a person", registry=registry)
        self._assigned = Gauge("referral_bus_assigned_partitions", "Partitions of this process", registry=registry)
        self._rebalances = Counter("referral_bus_rebalances", "Changes of the group", ["event"], registry=registry)
        self._wait = Histogram(
            "referral_bus_wait_seconds",
            "From the broker's stamp on the first record of a transaction to its commit",
            buckets=_WAIT_S,
            registry=registry,
        )
        self._directory_age = Gauge(
            "referral_bus_directory_age_seconds", "Since the directory was known to be current", registry=registry
        )
        self._directory_expires = Gauge(
            "referral_bus_directory_expires_timestamp_seconds", "When the directory's head expires", registry=registry
        )
        self.dropped_log_fields = Counter(
            "referral_bus_dropped_log_fields", "Fields of log lines that are not on the list", registry=registry
        )
        self._outcomes: dict[str, Counter] = {}
        self._lags: dict[tuple[str, int], Gauge] = {}
        self._results = {
            result: self._transactions.labels(result) for result in ("committed", "fenced", "refused", "unknown")
        }

    def judged(self, outcome: str, count: int = 1) -> None:
        """Count records by what became of them; a fold says it in `merge`, when it has happened."""
        child = self._outcomes.get(outcome)
        if child is None:
            child = self._outcomes[outcome] = self._records.labels(outcome)
        child.inc(count)

    def practised(self, outcome: str, count: int) -> None:
        """Count records of exercises: whoever sums up `referral_bus_records_total` has not one of them in it."""
        self._exercises.labels(outcome).inc(count)

    def committed(self, records: int, seconds: float, *, waited_s: float) -> None:
        """Count a transaction of so many *records* that took *seconds*, the first of which waited for *waited_s*."""
        self._wait.observe(max(0.0, waited_s))
        self._results["committed"].inc()
        self._batch.observe(records)
        self._duration.observe(seconds)

    def failed(self, error: BaseException) -> None:
        """Count a transaction, or the way to one, that did not end as it should."""
        refused = isinstance(error, Unproducible | Fatal)
        self._results["fenced" if isinstance(error, Fenced) else "refused" if refused else "unknown"].inc()

    def restored(self, seconds: float) -> None:
        self._restore.observe(seconds)

    def rebalanced(self, event: str, partitions: int) -> None:
        self._rebalances.labels(event).inc()
        self._assigned.set(partitions)

    def lanes(self, lags: Mapping[tuple[str, int], int], *, state_bytes: int, stuck: int) -> None:
        """Show the partitions of this process; the lag of a partition that went is shown by who has it now."""
        for gone in self._lags.keys() - lags.keys():
            del self._lags[gone]
            self._lag.remove(gone[0], str(gone[1]))
        for key, lag in lags.items():
            child = self._lags.get(key)
            if child is None:
                child = self._lags[key] = self._lag.labels(key[0], str(key[1]))
            child.set(lag)
        self._state.set(state_bytes)
        self._stuck.set(stuck)

    def directory(self, *, age_s: float, expires_s: float | None) -> None:
        """Show how old what is known of the directory is, and when its head, if there is one, expires."""
        self._directory_age.set(age_s)
        if expires_s is not None:
            self._directory_expires.set(expires_s)
