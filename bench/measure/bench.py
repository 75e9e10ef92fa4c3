"""What every part of a run shares: the broker, the founded bus, how much is measured, who is told."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from measure import outputs
from measure.blueprint import outputs as outputs_of
from measure.broker import Cluster, inboxes, referral_specs
from measure.submissions import Load, Mill, positions
from measure.world import World
from referral_contracts import topics
from referral_contracts.records import Write
from referral_contracts.topics import TopicSpec

_FETCHABLE: Final = 300_000
"""Bytes of a batch of submissions: their topic takes no more at a time."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """One run."""

    cluster: Cluster
    world: World
    mill: Mill
    home: Path
    rounds: int
    quick: bool
    """Little of everything: to see that it works, not to be quoted."""
    say: Say

    def count(self, full: int, quick: int) -> int:
        """Return how many of something this run takes."""
        return quick if self.quick else full

    async def clean(self, *, stand_ins: bool = True) -> None:
        """Make the topics as they are before the first record; inboxes are only emptied, for they take long to warm."""
        specs = self.world.specs()
        history = referral_specs(specs)
        await self.cluster.make(specs)
        await self.cluster.renew([*history, *(_stand_ins(history) if stand_ins else ())])
        await self.cluster.empty(inboxes(specs))

    async def lay_out(self, load: Load) -> None:
        """Make everything as it is before a drain: the founded bus, open cases, and the submissions of *load*."""
        await self.clean()
        await self.cluster.fill([*self.world.writes, *load.cases, *positions(load.made_ms)])
        await self.cluster.fill(load.submissions, batch_bytes=_FETCHABLE)

    async def found(self, state: Iterable[Write] = ()) -> None:
        """Make a bus that is in force, with this *state*, and nothing to do."""
        await self.clean(stand_ins=False)
        await self.cluster.fill([*self.world.writes, *state, *positions(now_ms())])
        await self.cluster.fill([self.world.head])

    def outputs(self, load: Load) -> Path:
        """Write down what follows from *load*, for those who only forward."""
        path = self.home / "outputs.json"
        outputs_of(self.world, load).save(path)
        return path


def now_ms() -> int:
    """Return the time, in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def _stand_ins(specs: Sequence[TopicSpec]) -> list[TopicSpec]:
    names = {topics.LEDGER: outputs.LEDGER, topics.STATE: outputs.STATE}
    return [replace(spec, name=names[spec.name]) for spec in specs if spec.name in names]
