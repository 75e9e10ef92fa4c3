"""A bus with a deadline watcher by rules in seconds, and many cases whose clocks are all due at one instant."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from reaching import transport_of
from referral_bus.transport import Submission
from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.decisions import Decision, read_decision
from referral_contracts.envelope import Envelope
from referral_contracts.payloads.actor import Actor, Role
from referral_contracts.payloads.clock import ClockSection, Trigger
from referral_contracts.records import Record
from referral_contracts.sections import encode_section
from referral_contracts.topics import H_SIGNATURE, partition_for
from referral_contracts.verbs import Verb
from running import RunningBus
from tests.contracts.rules.packs import head, rule
from tests.kafka.ledger_check import Held, settled
from tests.kafka.town import HOTLINE
from tests.kafka.voices import Voices
from tests.stories.world import Said

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
RULE: Final = "secret-of-the-ward"
"""A rule that is called nothing else: wherever its name stands, it has been told."""
_AT_ONCE: Final = 200


def pack(folder: Path, *, limit: str, settle: str = "PT1S") -> Sequence[Path]:
    """Write packs with one rule that is due after *limit*."""
    row = rule(id=f'"{RULE}"', limit=f'"{limit}"', second=None)
    texts = {"national": head() + row, "policy": head("policy", settle=f'"{settle}"')}
    for name, text in texts.items():
        (folder / f"{name}.toml").write_text(text, "utf-8")
    return [folder / f"{name}.toml" for name in texts]


def told(name: str, at_ms: int) -> bytes:
    """Return a clock section: *name* happened in the commune *at_ms*."""
    happened = Trigger(trigger=name, occurred_at=EPOCH + timedelta(milliseconds=at_ms), province="99", commune="99001")
    return encode_section(ClockSection(actor=Actor(role=Role.SYSTEM), triggers=(happened,)))


async def voices(bus: RunningBus) -> Voices:
    """Return everybody on *bus*."""
    held = await settled(bus.bootstrap)
    return Voices(directory=held.directory(bus.founding.trust), founding=bus.founding)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def openings(everybody: Voices, count: int, at_ms: int) -> list[Said]:
    """Write cases that were all heard of *at_ms*."""
    section = told("information-received", at_ms)
    return [everybody.write(HOTLINE, Verb.CASE_OPENED, now_ms=now_ms(), clock=section) for _ in range(count)]


async def submit(bus: RunningBus, said: Sequence[Said]) -> None:
    """Hand them to Kafka."""
    transport = transport_of(bus.bootstrap)
    try:
        count = await transport.partitions(topics.SUBMISSIONS)
        for start in range(0, len(said), _AT_ONCE):
            await transport.submit(
                topics.SUBMISSIONS,
                [
                    Submission(
                        partition_for(one.case, count), one.case.encode(), one.value, [(H_SIGNATURE, one.signature)]
                    )
                    for one in said[start : start + _AT_ONCE]
                ],
            )
    finally:
        await transport.close()


def judged(held: Held) -> list[tuple[Record, Decision]]:
    """Return the events of the ledger with their decisions."""
    return [
        (record, read_decision(dict(record.headers)[topics.H_DECISION] or b""))
        for number in range(held.partitions)
        for record in held.read(topics.LEDGER, number)
        if dict(record.headers)[topics.H_KIND] == topics.KIND_EVENT
    ]


def notices(held: Held, verb: Verb) -> Counter[tuple[str, Code]]:
    """Return how often *verb* was said of each case, by what the router said to it."""
    found: Counter[tuple[str, Code]] = Counter()
    for record, decision in judged(held):
        if record.value and verb.type.encode() in record.value:
            found[Envelope.decode(record.value).subject, decision.code] += 1
    return found


async def missed(bus: RunningBus, cases: Sequence[Said], timeout_s: float = 60.0) -> Held:
    """Return what the broker holds once each of *cases* was called missed."""
    deadline = time.monotonic() + timeout_s
    while True:
        held = await settled(bus.bootstrap, timeout_s)
        found = {case for case, code in notices(held, Verb.DEADLINE_MISSED) if code is Code.ACCEPTED}
        left = {one.case for one in cases} - found
        if not left:
            return held
        assert time.monotonic() < deadline, (len(left), len(cases))
        await asyncio.sleep(0.3)
