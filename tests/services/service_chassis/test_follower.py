from collections.abc import Sequence

import pytest
from aiokafka import TopicPartition

from referral_contracts.records import Record
from service_chassis.decoding import Kind, Piece
from service_chassis.fold import Limits
from service_chassis.follower import Follower
from service_chassis.kafka import Kafka
from service_chassis.logs import make_log
from service_chassis.reader import Chunk

pytestmark = pytest.mark.asyncio


class Taken(list[list[int]]):
    """The offsets of each call."""

    def take(self, records: Sequence[Record]) -> None:
        self.append([record.offset for record in records])


def following(taken: Taken) -> Follower:
    log = make_log("test", dropped=lambda: None)
    tp = TopicPartition("small", 0)
    return Follower(Kafka(bootstrap="nowhere:1", tls=None), tp, taken.take, limits=Limits(), log=log)


def data(offset: int, count: int = 1, producer: int | None = 1) -> Piece[Record]:
    records = [Record(0, offset + nth, 0, b"k", b"v") for nth in range(count)]
    return Piece(Kind.DATA, offset + count, producer, records)


def chunk(*pieces: Piece[Record], end: int, asked_at: float = 0.0) -> Chunk:
    return Chunk(pieces, pieces[-1].next_offset if pieces else end, end, end, asked_at)


async def test_a_transaction_is_taken_whole_although_it_came_in_two_answers() -> None:
    taken = Taken()
    follower = following(taken)

    follower._absorb(chunk(data(0, 2), end=10))

    assert taken == []

    follower._absorb(chunk(data(2), Piece(Kind.COMMIT, 4, 1), end=10))

    assert taken == [[0, 1, 2]]


async def test_transactions_between_each_other_are_taken_in_the_order_of_their_commits() -> None:
    taken = Taken()

    following(taken)._absorb(
        chunk(
            data(0, producer=1),
            data(1, producer=2),
            data(2, producer=1),
            Piece(Kind.COMMIT, 4, 2),
            Piece(Kind.COMMIT, 5, 1),
            end=10,
        )
    )

    assert taken == [[1], [0, 2]]


async def test_what_is_outside_of_transactions_is_taken_batch_by_batch() -> None:
    taken = Taken()

    following(taken)._absorb(chunk(data(0, 2, producer=None), data(2, producer=None), end=10))

    assert taken == [[0, 1], [2]]


async def test_a_transaction_whose_marker_compaction_took_ends_with_the_log() -> None:
    taken = Taken()

    following(taken)._absorb(chunk(data(0), end=1))

    assert taken == [[0]]


async def test_freshness_counts_from_the_question_and_only_at_the_end_of_the_log() -> None:
    follower = following(Taken())

    assert not follower.caught_up(10**9)

    follower._absorb(chunk(data(0), end=10, asked_at=0.0))

    assert not follower.caught_up(10**9)

    follower._absorb(Chunk((), 10, 10, 10, asked_at=0.0))

    assert follower.caught_up(10**12)
    assert not follower.caught_up(0)
    assert follower.trouble(0) is not None


async def test_an_open_transaction_may_hide_what_is_committed_behind_it() -> None:
    follower = following(Taken())

    follower._absorb(Chunk((), 5, 10, 5, asked_at=0.0))

    assert not follower.caught_up(10**12)
