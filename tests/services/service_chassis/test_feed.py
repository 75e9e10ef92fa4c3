import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from referral_contracts.records import Record
from service_chassis.decoding import Kind, Piece
from service_chassis.feed import Feed
from service_chassis.fold import Limits
from service_chassis.reader import Chunk

pytestmark = pytest.mark.asyncio


@dataclass
class FakeReader:
    """Answers each fetch with the next of *sizes* records, and then never."""

    sizes: Sequence[int | Exception]
    asked: list[int] = field(default_factory=list)
    value: bytes = b"v"

    async def fetch(self, offset: int, *, wait_ms: int) -> Chunk:
        del wait_ms
        self.asked.append(offset)
        if len(self.asked) > len(self.sizes):
            await asyncio.get_running_loop().create_future()
        size = self.sizes[len(self.asked) - 1]
        if isinstance(size, Exception):
            raise size
        records = [Record(0, offset + nth, 0, b"k", self.value) for nth in range(size)]
        return Chunk([Piece(Kind.DATA, offset + size, None, records)], offset + size, 100, 100, 0.0)


def feed(reader: Any, **limits: int) -> Feed:
    return Feed(reader, 0, Limits(**limits))


def offsets(records: Sequence[Record]) -> list[int]:
    return [record.offset for record in records]


async def test_batches_are_bounded_in_records() -> None:
    taking = feed(FakeReader([5, 2]))
    try:
        assert offsets(await taking.take(3, until=asyncio.Event())) == [0, 1, 2]
        assert offsets(await taking.take(3, until=asyncio.Event())) == [3, 4]
        assert offsets(await taking.take(3, until=asyncio.Event())) == [5, 6]
    finally:
        await taking.close()


async def test_batches_are_bounded_in_bytes_but_never_empty() -> None:
    taking = feed(FakeReader([3], value=b"v" * 60), batch_bytes=100)
    try:
        assert offsets(await taking.take(10, until=asyncio.Event())) == [0]
        assert offsets(await taking.take(10, until=asyncio.Event())) == [1]
    finally:
        await taking.close()


async def test_what_is_put_back_comes_first_again() -> None:
    taking = feed(FakeReader([4]))
    try:
        taken = await taking.take(3, until=asyncio.Event())
        taking.put_back(taken[1:])

        assert offsets(await taking.take(3, until=asyncio.Event())) == [1, 2, 3]
    finally:
        await taking.close()


async def test_nobody_asks_for_more_than_is_being_used() -> None:
    reader = FakeReader([100, 100, 100])
    taking = feed(reader)
    try:
        await taking.take(10, until=asyncio.Event())
        for _ in range(5):
            await asyncio.sleep(0)

        assert reader.asked == [0]
    finally:
        await taking.close()


async def test_waiting_for_input_ends_when_the_lane_does() -> None:
    taking, closing = feed(FakeReader([])), asyncio.Event()
    asyncio.get_running_loop().call_soon(closing.set)
    try:
        assert await taking.take(10, until=closing) == []
    finally:
        await taking.close()


async def test_an_error_of_the_reader_is_the_error_of_the_next_take() -> None:
    taking = feed(FakeReader([2, OSError("away")]))
    try:
        assert offsets(await taking.take(10, until=asyncio.Event())) == [0, 1]

        with pytest.raises(OSError, match="away"):
            await taking.take(10, until=asyncio.Event())
    finally:
        await taking.close()
