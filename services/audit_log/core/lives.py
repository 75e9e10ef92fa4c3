"""
How long what is sealed can live anywhere, by the settings. Pure.

A broker deletes whole segments: a record lives until the last one of its segment is old enough, and a segment of a
partition in which nothing happens any more is not closed before another record comes. So the days of a topic are those
that it is told, those of a segment, and what the broker takes to look.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from audit_log.core.retention import DAY_MS, EVERY_MS
from referral_contracts import topics

FOR_EVER: Final = -1
_ANY_AGENCY: Final = "…"
_SEGMENT_MS: Final = 7 * DAY_MS
"""Kafka's ``log.roll.hours``, where a topic does not say ``segment.ms``."""
_LOOKED_MS: Final = 5 * 60_000
"""``log.retention.check.interval.ms``."""
_UNLINKED_MS: Final = 60_000
"""``file.delete.delay.ms``."""


class Lives(NamedTuple):
    """How long sealed bytes stay in one place."""

    where: str
    days: int
    """Counted from *since*, begun days whole; `FOR_EVER` where nothing ends it."""
    since: str
    asked: bool = False
    """Whether it says how long they stay once their erasure was asked for, on the bus."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the settings say."""

    keep_days: int
    """How long the ledger keeps what is in the log; 0: for ever."""
    wait_days: float
    """How long an erasure waits."""
    erase_s: float
    """How often what may be erased is looked for."""
    due_days: int | None
    """The longest after its end until a case is due, of all rules; None: there are ends by which none is."""
    backup_days: int
    """How long backups, replicas and archives of the store are kept, and the write-ahead log of a server."""


def lives(terms: Terms) -> list[Lives]:
    """Return every place where sealed bytes lie, and for how long at most, while the services run."""
    # What is erased is overwritten in the run that erases it, or in the next one: when nobody reads the store.
    erased_ms = terms.wait_days * DAY_MS + 2 * terms.erase_s * 1000
    due_ms = None if terms.due_days is None else terms.due_days * DAY_MS + erased_ms
    asked, ended = "the request was logged", "the case ended, when its erasure is asked for as soon as it is due"
    backup_ms = terms.backup_days * DAY_MS
    return [
        Lives("log store, with its write-ahead log and dead rows", _whole(due_ms), ended),
        Lives("log store, erasure asked for", _whole(erased_ms), asked, asked=True),
        Lives(
            "backups, replicas and archives of the log store",
            _whole(None if due_ms is None else due_ms + backup_ms),
            "the case ended",
        ),
        Lives(
            "backups, replicas and archives of the log store, erasure asked for",
            _whole(erased_ms + backup_ms),
            asked,
            asked=True,
        ),
        *_in_kafka(terms.keep_days),
        Lives("stores of the SDK at sender and recipients, files that they saved", FOR_EVER, "it was sent or opened"),
        Lives("trails and bundles that auditors took", FOR_EVER, "they were made"),
    ]


def longest(found: Iterable[Lives]) -> int:
    """Return the longest of them."""
    days = [one.days for one in found]
    return FOR_EVER if FOR_EVER in days else max(days)


def on_the_bus(found: Iterable[Lives]) -> list[Lives]:
    """Return the places that the bus answers for, once an erasure was asked for."""
    return [one for one in found if one.asked]


def _in_kafka(keep_days: int) -> Iterable[Lives]:
    specs = {spec.name: spec.config for spec in topics.topic_specs(1, [_ANY_AGENCY])}
    ledger = specs[topics.LEDGER]
    kept_ms = keep_days * DAY_MS + EVERY_MS if keep_days else None
    read = "it was logged, and whoever reads the ledger has read; and another record came after its segment's time"
    yield Lives(f"{topics.LEDGER} (Kafka)", _deleted(ledger, kept_ms), read, asked=True)
    # The topics of a refusal, too: whatever was submitted.
    for name, what, since in (
        (topics.SUBMISSIONS, topics.SUBMISSIONS, "it was submitted"),
        (topics.inbox(_ANY_AGENCY), topics.inbox("AGENCY"), "it was delivered"),
    ):
        config = specs[name]
        told_ms = int(config["retention.ms"])
        yield Lives(f"{what} (Kafka)", _deleted(config, None if told_ms < 0 else told_ms), since, asked=True)
    since = "its service put the case away, and another record came"
    for name in (topics.STATE, topics.WATCHER_STATE):
        yield Lives(f"{name} (Kafka)", _compacted(specs[name]), since, asked=True)


def _deleted(config: Mapping[str, str], kept_ms: float | None) -> int:
    return _whole(None if kept_ms is None else kept_ms + _segment_ms(config) + _LOOKED_MS + _UNLINKED_MS)


def _compacted(config: Mapping[str, str]) -> int:
    """How long a compacted topic still has what a newer record took the place of."""
    return _whole(_segment_ms(config) + int(config["max.compaction.lag.ms"]) + _UNLINKED_MS)


def _segment_ms(config: Mapping[str, str]) -> int:
    return int(config.get("segment.ms", _SEGMENT_MS))


def _whole(found_ms: float | None) -> int:
    return FOR_EVER if found_ms is None else math.ceil(found_ms / DAY_MS)
