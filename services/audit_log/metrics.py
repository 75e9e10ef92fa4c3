"""What the log counts. No label carries a case, an agency or a key."""

from collections.abc import Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)
_WAIT_S: Final = (0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0)
_ENTRIES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)


class LogMetrics:
    """The log's own metrics."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register everything."""
        self._entries = Counter("referral_bus_log_entries", "Leaves that were appended", registry=registry)
        self._size = Gauge("referral_bus_log_size", "Leaves that are durable", registry=registry)
        self._published = Gauge(
            "referral_bus_log_published_size", "Leaves that the published checkpoint covers", registry=registry
        )
        self._published_at = Gauge(
            "referral_bus_log_published_timestamp_seconds",
            "When the published checkpoint was last known to cover every leaf",
            registry=registry,
        )
        self._append = Histogram(
            "referral_bus_log_append_seconds", "From a batch to its commit", buckets=_SECONDS, registry=registry
        )
        self._batch = Histogram("referral_bus_log_batch_size", "Leaves an append", buckets=_ENTRIES, registry=registry)
        self._publish = Histogram(
            "referral_bus_log_publish_seconds",
            "From a beat to its published checkpoint",
            buckets=_SECONDS,
            registry=registry,
        )
        self._wait = Histogram(
            "referral_bus_log_wait_seconds",
            "From the ledger to a published checkpoint, of the oldest record that it covers first",
            buckets=_WAIT_S,
            registry=registry,
        )
        self._failures = Counter(
            "referral_bus_log_failures",
            "Writes that failed, by code; they are tried again",
            ["code"],
            registry=registry,
        )
        self._erased = Counter("referral_bus_log_erased", "Leaves that were erased", registry=registry)
        self._unscrubbed = Gauge(
            "referral_bus_log_unscrubbed",
            "1 while something that was erased is still in the store's files: somebody reads them",
            registry=registry,
        )
        self._unshown = Counter(
            "referral_bus_log_unshown",
            "Questions over HTTP that could not be answered, by code",
            ["code"],
            registry=registry,
        )

    def opened(self, size: int, published: int, now_ms: int) -> None:
        """Show what was found."""
        self._size.set(size)
        self._published.set(published)
        self._published_at.set(now_ms / 1000)

    def appended(self, count: int, size: int, seconds: float) -> None:
        """Count an append."""
        self._entries.inc(count)
        self._size.set(size)
        self._batch.observe(count)
        self._append.observe(seconds)

    def erased(self, counts: Sequence[int], size: int, *, busy: bool) -> None:
        """Count erasures by how many leaves each was of, and show whether the store could overwrite them."""
        self._entries.inc(len(counts))
        self._size.set(size)
        self._erased.inc(sum(counts))
        self._unscrubbed.set(busy)

    def published(self, size: int, seconds: float, *, waited_s: float | None) -> None:
        """Count a checkpoint; of the records that it covers first the oldest *waited_s*."""
        self._published.set(size)
        self._publish.observe(seconds)
        if waited_s is not None:
            self._wait.observe(max(0.0, waited_s))

    def current(self, now_ms: int) -> None:
        """Show that the published checkpoint covers every leaf."""
        self._published_at.set(now_ms / 1000)

    def failed(self, code: str) -> None:
        self._failures.labels(code).inc()

    def unshown(self, code: str) -> None:
        """Count an answer over HTTP that could not be given."""
        self._unshown.labels(code).inc()


class WitnessMetrics:
    """What came of asking witnesses."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register everything."""
        self._named = Gauge("referral_bus_log_witnesses", "Witnesses that are asked to cosign", registry=registry)
        self._size = Gauge(
            "referral_bus_log_witnessed_size",
            "Leaves that a checkpoint with enough cosignatures covers",
            registry=registry,
        )
        self._at = Gauge(
            "referral_bus_log_witnessed_timestamp_seconds",
            "When a checkpoint last got enough cosignatures",
            registry=registry,
        )
        self._failures = Counter(
            "referral_bus_log_witness_failures",
            "Cosignatures that a witness was asked for and did not give, by code",
            ["code"],
            registry=registry,
        )

    def named(self, count: int) -> None:
        """Show how many are asked."""
        self._named.set(count)

    def witnessed(self, size: int, now_ms: int) -> None:
        """Show that enough witnesses have cosigned a checkpoint of *size*."""
        self._size.set(size)
        self._at.set(now_ms / 1000)

    def failed(self, code: str) -> None:
        self._failures.labels(code).inc()


class ReadMetrics:
    """What was read of cases."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register everything."""
        self._answered = Counter(
            "referral_bus_log_reads",
            "Reads of cases that were answered, by what was asked",
            ["asked"],
            registry=registry,
        )
        self._refused = Counter(
            "referral_bus_log_reads_refused",
            "Reads of cases that were not answered, by code",
            ["code"],
            registry=registry,
        )

    def answered(self, asked: str) -> None:
        """Count a read."""
        self._answered.labels(asked).inc()

    def refused(self, code: str) -> None:
        """Count one that was not given."""
        self._refused.labels(code).inc()
