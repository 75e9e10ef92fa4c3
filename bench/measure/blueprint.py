"""
What the router writes for each event of a load, for those that it is measured against: same records, same bytes.

Headers, verdict and state are taken from what the router's own core makes of the load's first batch.
"""

from collections.abc import Sequence
from typing import Final

from measure.outputs import PARTITIONS, Outputs
from measure.submissions import Load
from measure.world import BUS, World
from referral_contracts import topics
from referral_contracts.records import Record, Write
from referral_contracts.sealing import random_salts
from referral_router.core import Lane, Router, examine, verify_signature

SAMPLE: Final = 100


def outputs(world: World, load: Load) -> Outputs:
    """Return what the router writes for the events of *load*."""
    writes = judged(world, load)

    def sample(topic: str, *, kind: bytes | None = None) -> Write:
        return next(
            write
            for write in writes
            if write.topic == topic and (kind is None or dict(write.headers)[topics.H_KIND] == kind)
        )

    first = load.offers[0]
    copy = sample(topics.inbox(first.recipients[0]), kind=topics.KIND_DELIVERY)
    verdict = sample(topics.inbox(first.sender), kind=topics.KIND_VERDICT)
    return Outputs(
        copy=list(copy.headers),
        ledger=list(sample(topics.LEDGER).headers),
        verdict=verdict.value or b"",
        verdict_headers=list(verdict.headers),
        state=sample(topics.STATE).value or b"",
        targets={
            offer.write.key or b"": [topics.inbox(name) for name in (*offer.recipients, offer.sender)]
            for offer in load.offers
        },
    )


def judged(world: World, load: Load) -> Sequence[Write]:
    """Return what the router's core writes for the first batch of *load*, or raise if it accepts not all of it."""
    partition = load.offers[0].write.partition
    batch = [offer.write for offer in load.offers if offer.write.partition == partition][:SAMPLE]
    lane = Lane(bus=BUS, partition=partition, key=world.keys["router"].signing, salts=random_salts)
    router = Router(lane, PARTITIONS)
    for case in load.cases:
        router.restore(case.key or b"", case.value)
    found = [examine(record, world.directory, BUS) for record in records(batch, load.made_ms)]
    for item in found:
        verify_signature(item)
    step = router.step(found, world.directory, world.agencies)
    if set(step.codes) != {"accepted"}:
        raise RuntimeError(f"the load is not accepted: {dict(step.codes)}")
    return step.writes


def records(writes: Sequence[Write], stamp_ms: int) -> list[Record]:
    """Return *writes* as the broker would have stored them in one partition at *stamp_ms*."""
    return [
        Record(write.partition, offset, stamp_ms, write.key, write.value, write.headers)
        for offset, write in enumerate(writes)
    ]
