"""
What a broker holds of a bus, and the check that it holds together: for the demonstration and for every fault.

Reads each topic by itself, down to the broker's own records, and believes nothing but the pinned trust root. What must
hold after any story is said in `tests.stories.audit`; what only a real bus has is said here: the directory's own
lane, the state that a restart would begin with, stamps of a broker, and that a replay of the input comes to the same.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiokafka import TopicPartition

from reaching import operator_of
from referral_contracts import topics
from referral_contracts.decisions import NO_DECISION, Decision, read_decision, verify_leaf
from referral_contracts.directory import ROLE_ROUTER, Directory, TrustRoot
from referral_contracts.directory_shelf import Shelf
from referral_contracts.encoding import b64, event_hash, parse_time
from referral_contracts.keys import VerifyKey
from referral_contracts.merkle import leaf_hash
from referral_contracts.records import LOG_APPEND_TIME, Record
from referral_contracts.topics import H_DECISION, H_KIND, H_PATH, H_ROOT, KIND_EVENT, POSITION_KEY
from referral_router.core.position import Position
from service_chassis.client import Client
from service_chassis.fold import Limits
from service_chassis.reader import PartitionReader
from tests.kafka.replay import replay
from tests.stories.audit import Audit, audit

INTAKE = (topics.SUBMISSIONS, topics.DIRECTORY_SUBMISSIONS)
"""Anybody writes here. What an aborted transaction left counts as submitted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Every record of a bus, by topic and partition."""

    records: Mapping[tuple[str, int], Sequence[Record]]

    def read(self, topic: str, partition: int) -> Sequence[Record]:
        return self.records[topic, partition]

    @property
    def partitions(self) -> int:
        """How many partitions submissions have."""
        return sum(topic == topics.SUBMISSIONS for topic, _ in self.records)

    @property
    def agencies(self) -> list[str]:
        """Who has an inbox."""
        prefix = topics.inbox("")
        return sorted(topic.removeprefix(prefix) for topic, _ in self.records if topic.startswith(prefix))

    def directory(self, trust: TrustRoot) -> Directory:
        """Return the directory as its readers have it."""
        shelf = Shelf(trust)
        for record in self.read(topics.DIRECTORY, 0):
            shelf.take(record.key, record.value)
        shelf.settle()

        assert shelf.current is not None, shelf.fault
        return shelf.current


async def ledger_holds(bootstrap: str, trust: TrustRoot, *, timeout_s: float = 60.0) -> Audit:
    """Wait until everything that was submitted is judged, check all of it, and return what was found."""
    held = await settled(bootstrap, timeout_s)
    return check(held, trust)


async def settled(bootstrap: str, timeout_s: float = 60.0) -> Held:
    """Return what the broker holds, once no submission is without its decision."""
    deadline = time.monotonic() + timeout_s
    client = operator_of(bootstrap).client(Limits())
    await client.bootstrap()
    try:
        while True:
            held = await _held(client)
            behind = _behind(held)
            if not behind:
                return held
            assert time.monotonic() < deadline, behind
            await asyncio.sleep(0.2)
    finally:
        await client.close()


async def _held(client: Client) -> Held:
    cluster = await client.fetch_all_metadata()
    prefix = topics.inbox("")
    fixed = (*INTAKE, topics.LEDGER, topics.STATE, topics.WATCHER_STATE, topics.DIRECTORY)
    records: dict[tuple[str, int], Sequence[Record]] = {}
    # The submissions first: what follows from them may come while the rest is read, not the other way round.
    for name in sorted(cluster.topics(), key=lambda name: name not in INTAKE):
        if name in fixed or name.startswith(prefix):
            for partition in sorted(cluster.partitions_for_topic(name) or ()):
                records[name, partition] = await _all(client, TopicPartition(name, partition))
    return Held(records=records)


async def _all(client: Client, tp: TopicPartition) -> Sequence[Record]:
    reader = PartitionReader(client, tp, Limits(), committed=tp.topic not in INTAKE)
    span = await reader.span()
    offset, found = span.start, list[Record]()
    while offset < span.end:
        chunk = await reader.fetch(offset, wait_ms=100)
        found += [record for piece in chunk.pieces for record in piece.records]
        offset = chunk.next_offset
    return found


def lanes(held: Held) -> list[tuple[str, int, int]]:
    """Return each input topic and partition with its partition of ledger and state."""
    referrals = [(topics.SUBMISSIONS, number, number) for number in range(held.partitions)]
    return [*referrals, (topics.DIRECTORY_SUBMISSIONS, 0, held.partitions)]


def _behind(held: Held) -> Mapping[tuple[str, int], tuple[int, int]]:
    """Return for each input that is not judged to its end: how far it is, and how far it should be."""
    found = {}
    for topic, partition, own in lanes(held):
        submitted = held.read(topic, partition)
        wanted = submitted[-1].offset + 1 if submitted else 0
        at = _position(held, own).position
        if at < wanted:
            found[topic, partition] = (at, wanted)
    return found


def _position(held: Held, own: int) -> Position:
    values = [record.value for record in held.read(topics.STATE, own) if record.key == POSITION_KEY]
    return Position() if not values else Position.decode(values[-1] or b"")


def check(held: Held, trust: TrustRoot) -> Audit:
    """Check all of it, or fail, and return what was found of the referrals."""
    directory = held.directory(trust)
    router = router_key(directory)
    found = audit(held.read, held.agencies, bus=trust.bus, partitions=held.partitions, router=router)
    for topic, partition, own in lanes(held):
        decisions = _chain(held, topic, partition, own, trust.bus, router)
        # A restart would begin behind the last decision, and go on counting from it.
        position = _position(held, own)
        assert position.counter == len(decisions)
        assert position.chain == (leaf_hash(decisions[-1][0]) if decisions else NO_DECISION)
    _nothing_else_in_the_inboxes(held)
    replay(held.read, trust, partitions=held.partitions, agencies=held.agencies)
    return found


def router_key(directory: Directory) -> VerifyKey:
    """Return the router's one key."""
    name = directory.service(ROLE_ROUTER)
    assert name is not None
    member = directory.member(name)
    assert member is not None
    (key,) = member.event_keys.values()
    return key.key


def _chain(
    held: Held, topic: str, partition: int, own: int, bus: str, router: VerifyKey
) -> Sequence[tuple[bytes, Decision]]:
    """Return the decisions of one lane, once they are an unbroken chain over its input, at the broker's own times."""
    submitted = {record.offset: record for record in held.read(topic, partition)}
    found: list[tuple[bytes, Decision]] = []
    previous, admitted_ms = NO_DECISION, 0
    for record in held.read(topics.LEDGER, own):
        headers = dict(record.headers)
        if headers[H_KIND] != KIND_EVENT:
            continue
        leaf = headers[H_DECISION] or b""
        verify_leaf(leaf, headers[H_PATH] or b"", headers[H_ROOT] or b"", bus=bus, partition=own, key=router)
        decision = read_decision(leaf)
        was = submitted.pop(decision.offset)

        assert decision.counter == len(found) + 1
        assert decision.previous == b64(previous)
        assert decision.event == event_hash(was.value or b"")
        assert decision.size == len(was.value or b"")
        stamp_ms = parse_time(decision.stamp)
        assert was.stamp_type != LOG_APPEND_TIME or stamp_ms == was.stamp_ms
        assert parse_time(decision.admitted) >= max(admitted_ms, stamp_ms)
        previous, admitted_ms = leaf_hash(leaf), parse_time(decision.admitted)
        found.append((leaf, decision))
    # Ticks alone are without a decision; they have no key.
    assert [record for record in submitted.values() if record.key is not None and topic == topics.SUBMISSIONS] == []
    return found


def _nothing_else_in_the_inboxes(held: Held) -> None:
    kinds: Counter[bytes | None] = Counter()
    for agency in held.agencies:
        for record in held.read(topics.inbox(agency), 0):
            kinds[dict(record.headers)[H_KIND]] += 1

    assert set(kinds) <= {topics.KIND_DELIVERY, topics.KIND_VERDICT}
