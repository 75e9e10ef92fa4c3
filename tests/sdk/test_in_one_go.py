"""What goes out in one go: receipts that are owed together, and a batch of which one is too large."""

from collections.abc import Sequence

import pytest

from referral_bus import Code, EntryState, LocalError
from referral_bus.testing import MemoryTransport
from referral_bus.transport import Submission
from referral_contracts import topics
from referral_contracts.records import Record
from referral_contracts.verbs import Verb
from tests.sdk.town import CRIME, MEDICAL, OPENING, REQUEST, SCHOOLING, Town, case_with

pytestmark = pytest.mark.asyncio


class Watched:
    """A transport that notes how much goes out at a time, and takes no record of more than so many bytes."""

    def __init__(self, inner: MemoryTransport, most: int) -> None:
        self.batches: list[int] = []
        self._inner = inner
        self._most = most

    async def submit(self, topic: str, submissions: Sequence[Submission]) -> None:
        self.batches.append(len(submissions))
        for submission in submissions:
            if len(submission.value) > self._most:
                raise LocalError(Code.OVERSIZE)
            await self._inner.submit(topic, [submission])

    async def read(self, topic: str, partition: int, offset: int, timeout_s: float) -> Sequence[Record]:
        return await self._inner.read(topic, partition, offset, timeout_s)

    async def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        return await self._inner.bounds(topic, partition)

    async def partitions(self, topic: str) -> int:
        return await self._inner.partitions(topic)

    async def close(self) -> None:
        await self._inner.close()


def watched(town: Town, agency: str, most: int = topics.ENVELOPE_MAX) -> Watched:
    inner = town.sim.connect(agency)()
    assert isinstance(inner, MemoryTransport)
    return Watched(inner, most)


async def test_receipts_that_are_owed_together_go_out_together(town: Town) -> None:
    way = watched(town, "ward-a")
    async with town.bus("hotline-111") as hotline:
        subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
        await hotline.send(hotline.notify(subject, {"ward-a": [SCHOOLING]}))
        await hotline.send(hotline.notify(subject, {"ward-a": [MEDICAL]}))
        async with town.bus("ward-a", transport=lambda: way) as ward:
            await ward.caught_up()
            await town.until(lambda: not ward.status().waiting)

            assert [entry.verb for entry in ward.outbox()] == [Verb.RECEIVED] * 3
            assert {entry.state for entry in ward.outbox()} == {EntryState.ACCEPTED}
            assert way.batches == [3]


async def test_one_that_is_too_large_fails_alone_and_the_others_of_its_batch_go_out_once(town: Town) -> None:
    # By the SDK's own limit none of them is: the topic was given a lower one.
    way = watched(town, "hotline-111", most=20_000)
    async with town.bus("hotline-111", transport=lambda: way) as hotline:
        case = hotline.open_case(OPENING)
        await hotline.send(case)
        large = REQUEST.model_copy(update={"reason": "ệ" * 4_000})
        town.sim.faults["hotline-111"].away = True
        drafts = [
            hotline.offer(case.subject, {"ward-a": [REQUEST]}),
            hotline.offer(case.subject, {"ward-a": [large]}),
            hotline.offer(case.subject, {"police-b": [CRIME]}),
        ]
        waiting = [await hotline.send(draft, wait=False) for draft in drafts]
        town.sim.faults["hotline-111"].away = False
        await town.wind(10)
        await town.until(lambda: not hotline.status().waiting)
        states = [hotline.entry(sent.entries[0].id) for sent in waiting]

        assert max(way.batches) == 3
        assert [entry.state for entry in states if entry is not None] == [
            EntryState.ACCEPTED,
            EntryState.FAILED,
            EntryState.ACCEPTED,
        ]
        assert [decision.code for decision, _ in town.decisions()].count(Code.ACCEPTED) == 3
