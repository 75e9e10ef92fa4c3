"""
Count what came of the clocks of a period: ``python -m deadline_watcher.counts 2026-01-01 2026-12-31 > counts.json``.

It reads the watcher's own state beside the running watcher, with the same ``REFERRAL_BUS_*`` variables, and writes
nothing on the bus. The file names rules and roles, and no case, agency or place.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from datetime import date
from typing import Final

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from prometheus_client import CollectorRegistry
from pydantic import ValidationError

from deadline_watcher.app import LedgerFold, make_desk
from deadline_watcher.core import Counting, Desk, Watcher
from deadline_watcher.metrics import ClockMetrics
from deadline_watcher.settings import Settings
from referral_contracts import topics
from referral_contracts.clock_counts import ClockCounts
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError, ReferralBusError
from service_chassis.command import complain, now_ms
from service_chassis.fold import Limits
from service_chassis.kafka import Kafka, close
from service_chassis.keyfile import read_service_keys, read_trust
from service_chassis.reader import PartitionReader
from service_chassis.restore import restore

NAME: Final = "deadline-watcher-counts"
_PATIENCE_S: Final = 60.0
"""The running watcher's transactions follow each other closely: one of them ends in between."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file to standard output and return the exit code: 2 if it cannot be had."""
    asked = _asked(arguments)
    try:
        settings = Settings()
        desk = make_desk(settings, read_trust(settings.trust).bus, read_service_keys(settings.watcher_key))
        counting = Counting(asked.since, asked.until, now_ms())
        found = asyncio.run(read_counts(desk, settings.kafka(NAME, _warn), counting))
    except (ValidationError, ReferralBusError) as error:
        return complain(NAME, error)
    except (KafkaError, OSError, TimeoutError):
        return complain(NAME, LocalError(Code.BROKER_AWAY))
    sys.stdout.write(found.encode().decode())
    return 0


async def read_counts(desk: Desk, kafka: Kafka, counting: Counting) -> ClockCounts:
    """
    Return what *counting* makes of everything that the watcher keeps.

    Raises:
        ReferralBusError: The state cannot be read by *desk*.
        KafkaError, OSError, TimeoutError: The broker does not answer.
    """
    limits = Limits()
    count = (await kafka.topics(limits)).get(topics.WATCHER_STATE)
    if count is None:
        raise LocalError(Code.TOPIC_MISSING, "the watcher has no state there")
    seen, client = [0], kafka.client(limits)
    try:
        await client.bootstrap()
        for partition in range(count):
            core = await _read(desk, PartitionReader(client, _place(partition), limits, committed=True), partition)
            for case in core.cases():
                counting.take(case, core.ticked_ms)
            seen.append(0 if core.after is None else core.after.admitted_ms)
    finally:
        await close(client)
    return counting.counts(desk.bus, max(seen))


def _warn(what: str) -> None:
    sys.stderr.write(f"{NAME}: warning: {what}\n")


def _place(partition: int) -> TopicPartition:
    return TopicPartition(topics.WATCHER_STATE, partition)


async def _read(desk: Desk, reader: PartitionReader, partition: int) -> Watcher:
    core = Watcher(desk, partition)
    fold = LedgerFold(core, lambda: None, ClockMetrics(CollectorRegistry(), lambda: 0))
    await restore(fold, reader, None, patience_s=_PATIENCE_S, reached=lambda _: None, tell=lambda _: None)
    return core


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=NAME, description="Count what came of the clocks of a period, as JSON.")
    parser.add_argument("since", type=date.fromisoformat, metavar="FROM", help="The first day: 2026-01-01.")
    parser.add_argument("until", type=date.fromisoformat, metavar="TO", help="The last day.")
    asked = parser.parse_args(arguments)
    if asked.since > asked.until:
        parser.error("FROM lies after TO")
    return asked


if __name__ == "__main__":
    sys.exit(main())
