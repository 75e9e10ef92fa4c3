"""
A town whose agencies talk all the time, whatever happens to the bus: several cases at once, each told in order.

Nobody waits for a verdict: each conversation is signed as if all went well, and one word of it has to come too late.
What could not be handed to Kafka for certain is handed over again, the same bytes.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from reaching import transport_of
from referral_bus._kafka import KafkaTransport
from referral_bus.transport import Submission
from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError
from referral_contracts.topics import H_SIGNATURE, partition_for
from referral_contracts.verbs import Verb
from running import RunningBus
from tests.kafka.ledger_check import ledger_holds, settled
from tests.kafka.voices import Voices
from tests.stories.audit import Audit
from tests.stories.world import Said

HOTLINE, COMMUNE, POLICE, HOSPITAL = "hotline-111", "ubnd-xa-thi-du", "cong-an-xa-thi-du", "bv-nhi-minh-hoa"
OTHER_COMMUNE, OTHER_POLICE = "ubnd-xa-khac", "cong-an-xa-khac"
TWO_MORE = f"""
[[agency]]
id = "{OTHER_COMMUNE}"
roles = ["commune"]
vi = "Xã khác"
en = "Another commune"

[[agency]]
id = "{OTHER_POLICE}"
roles = ["police"]
vi = "Công an xã khác"
en = "Its police"
"""
"""Two who speak through the SDK, and whose inboxes nobody else reads or fills."""

T = TypeVar("T")

_PACE_S = 0.05
"""Between two words of one talker: a fault is to hit a bus at work, not one that catches up."""
_PATIENCE_S = 90.0
_AGAIN_S = 0.2


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def conversation(voices: Voices) -> Iterator[tuple[Said, Code]]:
    """Yield the events of one case in order, each with what the bus has to say of it."""

    def write(source: str, verb: Verb, to: list[str], opening: Said | None = None, answers: Said | None = None) -> Said:
        about = None if opening is None else opening.to(source if source != COMMUNE or opening is duty else to[0])
        return voices.write(
            source, verb, now_ms=now_ms(), case=opened.case, to=to, about=about, answers=answers or opening
        )

    opened = voices.write(HOTLINE, Verb.CASE_OPENED, now_ms=now_ms())
    yield opened, Code.ACCEPTED
    duty = voices.write(HOTLINE, Verb.ASSIGNED, now_ms=now_ms(), case=opened.case, to=[COMMUNE])
    yield duty, Code.ACCEPTED
    yield write(COMMUNE, Verb.RECEIVED, [HOTLINE], duty), Code.ACCEPTED
    team = voices.write(COMMUNE, Verb.OFFERED, now_ms=now_ms(), case=opened.case, to=[POLICE, HOSPITAL])
    yield team, Code.ACCEPTED
    for member in (POLICE, HOSPITAL):
        yield write(member, Verb.RECEIVED, [COMMUNE], team), Code.ACCEPTED
    accepted = write(HOSPITAL, Verb.ACCEPTED, [COMMUNE], team)
    yield accepted, Code.ACCEPTED
    yield write(COMMUNE, Verb.WITHDRAWN, [POLICE], team), Code.ACCEPTED
    yield write(POLICE, Verb.ACCEPTED, [COMMUNE], team), Code.STALE_HEAD
    yield write(HOSPITAL, Verb.PROGRESSED, [COMMUNE], team, accepted), Code.ACCEPTED
    yield write(HOSPITAL, Verb.COMPLETED, [COMMUNE], team, accepted), Code.ACCEPTED


@dataclass(slots=True)
class Town:
    """What was said, and what has to become of it."""

    bus: RunningBus
    voices: Voices
    expected: dict[str, Code] = field(default_factory=dict)
    """By event."""
    quiet: asyncio.Event = field(default_factory=asyncio.Event)

    async def talk(self) -> None:
        """Hold one conversation after the other until it is quiet; none is broken off."""
        transport = transport_of(self.bus.bootstrap)
        try:
            while not self.quiet.is_set():
                for said, code in conversation(self.voices):
                    self.expected[said.ref.sha256] = code
                    await self.submit(transport, said)
                    await asyncio.sleep(_PACE_S)
        finally:
            await transport.close()

    async def submit(self, transport: KafkaTransport, said: Said) -> None:
        """Hand *said* to Kafka until it is known to be there."""
        partition = partition_for(said.case, await patiently(lambda: transport.partitions(topics.SUBMISSIONS)))
        headers = [(H_SIGNATURE, said.signature)]
        await patiently(
            lambda: transport.submit(
                topics.SUBMISSIONS, [Submission(partition, said.case.encode(), said.value, headers)]
            )
        )

    async def judged(self, more: int) -> None:
        """Return once the ledger has *more* records than now: the bus is at work."""
        transport = transport_of(self.bus.bootstrap)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                wanted = await _ledger_end(transport) + more
                while True:
                    if await _ledger_end(transport) >= wanted:
                        return
                    await asyncio.sleep(0.1)
        finally:
            await transport.close()

    async def holds(self) -> Audit:
        """Check all that the broker holds, and that each event said here was judged once and as it had to be."""
        found = await ledger_holds(self.bus.bootstrap, self.bus.founding.trust, timeout_s=_PATIENCE_S)
        said: defaultdict[str, list[Code]] = defaultdict(list)
        for decision in found.decisions:
            if decision.event in self.expected and decision.code is not Code.DUPLICATE:
                said[decision.event].append(decision.code)

        assert {event: [code] for event, code in self.expected.items()} == said
        return found


@asynccontextmanager
async def talking(bus: RunningBus, talkers: int = 4) -> AsyncIterator[Town]:
    """Let the town talk for as long as the block lasts, then wait until everything is judged, and check all of it."""
    held = await settled(bus.bootstrap)
    town = Town(bus, Voices(directory=held.directory(bus.founding.trust), founding=bus.founding))
    async with asyncio.TaskGroup() as tasks:
        for _ in range(talkers):
            tasks.create_task(town.talk())
        try:
            await town.judged(20)
            yield town
            await town.judged(20)
        finally:
            town.quiet.set()
    await town.holds()


async def patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask until the broker answers."""
    async with asyncio.timeout(_PATIENCE_S):
        while True:
            try:
                return await ask()
            except LocalError as error:
                if error.code is not Code.BROKER_AWAY:
                    raise
            await asyncio.sleep(_AGAIN_S)


async def _ledger_end(transport: KafkaTransport) -> int:
    partitions = range(await patiently(lambda: transport.partitions(topics.SUBMISSIONS)))
    ends = [await patiently(partial(transport.bounds, topics.LEDGER, number)) for number in partitions]
    return sum(end for _, end in ends)
