"""How long what is sealed can live anywhere, by the settings. Pure."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from audit_log.core.retention import DAY_MS
from referral_contracts import topics

FOR_EVER: Final = -1
_ANY_AGENCY: Final = "…"


class Lives(NamedTuple):
    """How long sealed bytes stay in one place."""

    where: str
    days: int
    """Counted from *since*; `FOR_EVER` where nothing ends it."""
    since: str


def lives(*, keep_days: int, wait_days: int, due_days: int, backup_days: int) -> list[Lives]:
    """
    Return every place where sealed bytes lie, and for how long at most.

    Args:
        keep_days: How long the ledger keeps what is in the log; 0: for ever.
        wait_days: How long an erasure waits.
        due_days: How long after its end a case is due; 0: never.
        backup_days: How long a backup is kept.
    """
    specs = topics.topic_specs(1, [_ANY_AGENCY])
    retained = {spec.name: _days(spec.config) for spec in specs}
    states = [spec for spec in specs if spec.name in {topics.STATE, topics.WATCHER_STATE}]
    store = due_days + wait_days if due_days else FOR_EVER
    return [
        Lives("log store", store, "the case ended, when its erasure is asked for as soon as it is due"),
        Lives("log store, erasure asked for", wait_days, "the request was logged"),
        Lives("backups of the log store", _plus(store, backup_days), "the case ended"),
        Lives("backups of the log store, erasure asked for", wait_days + backup_days, "the request was logged"),
        Lives(
            f"{topics.LEDGER} (Kafka)", keep_days or FOR_EVER, "it was logged, and whoever reads the ledger has read"
        ),
        Lives(f"{topics.SUBMISSIONS} (Kafka)", retained[topics.SUBMISSIONS], "it was submitted"),
        Lives(f"{topics.inbox('AGENCY')} (Kafka)", retained[topics.inbox(_ANY_AGENCY)], "it was delivered"),
        *(Lives(f"{one.name} (Kafka)", _compacted(one.config), "its service put the case away") for one in states),
        Lives("copies of sender and recipients", FOR_EVER, "it was opened: theirs by law, and no erasure reaches them"),
    ]


def longest(found: Iterable[Lives]) -> int:
    """Return the longest of them."""
    days = [one.days for one in found]
    return FOR_EVER if FOR_EVER in days else max(days)


def on_the_bus(found: Iterable[Lives]) -> list[Lives]:
    """Return the places that the bus answers for, once an erasure was asked for."""
    return [one for one in found if one.since == "the request was logged" or "Kafka" in one.where]


def _plus(days: int, more: int) -> int:
    return FOR_EVER if days == FOR_EVER else days + more


def _days(config: dict[str, str]) -> int:
    kept_ms = int(config.get("retention.ms", "-1"))
    return FOR_EVER if kept_ms < 0 else -(-kept_ms // DAY_MS)


def _compacted(config: dict[str, str]) -> int:
    """How long a compacted topic still has what was taken back."""
    return -(-(int(config["max.compaction.lag.ms"]) + int(config["delete.retention.ms"])) // DAY_MS)
