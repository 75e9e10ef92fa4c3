"""
The input judged once more, from nothing and one record at a time: it has to come to the very bytes that are stored.

Only the salts are taken from what is stored. Whatever a crash, a rebalance or an unknown outcome lost, doubled or
mixed up shows here, in a leaf or in the state.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.decisions import Decision, read_decision, read_delivery, read_verdict
from referral_contracts.directory import Directory, TrustRoot
from referral_contracts.encoding import unb64
from referral_contracts.envelope import Envelope
from referral_contracts.records import Record, Write
from referral_contracts.topics import H_DECISION, H_DELIVERY, H_KIND, KIND_DELIVERY, KIND_EVENT
from referral_router.core.replay import ChangeReplay, EventReplay

Read = Callable[[str, int], Sequence[Record]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """The leaves that the broker holds, by what they are about."""

    decisions: Mapping[tuple[int, int], bytes]
    """By partition and offset of the submission."""
    deliveries: Mapping[tuple[str, str], bytes]
    """By event and recipient."""
    verdicts: Mapping[tuple[int, int], bytes]
    """By partition and counter of the decision."""


def replay(read: Read, trust: TrustRoot, *, partitions: int, agencies: Sequence[str]) -> None:
    """Judge everything in *partitions* partitions of submissions again, or fail where it comes out otherwise."""
    stored = _stored(read, partitions, agencies)
    inboxes = frozenset(agencies)
    directories = _directories(read, trust, partitions, inboxes, stored)
    for number in range(partitions):
        again = EventReplay(trust.bus, number, partitions)
        state: dict[bytes, bytes | None] = {}
        version = 0
        for record, leaf in _submitted(read, topics.SUBMISSIONS, number, number, stored):
            decision = None if leaf is None else read_decision(leaf)
            version = version if decision is None else decision.directory
            again.drawn.salts = _drawn(stored, record, decision, number)
            step = again.step(record, decision, directories[version], inboxes)
            _compare(step.writes, stored, number, record.offset, state)
        assert state == _last(read(topics.STATE, number))


def _directories(
    read: Read, trust: TrustRoot, partitions: int, inboxes: frozenset[str], stored: _Stored
) -> Mapping[int, Directory]:
    """Judge the changes of the directory again, and return each version that there was."""
    again = ChangeReplay(trust, partitions)
    state: dict[bytes, bytes | None] = {}
    for record, leaf in _submitted(read, topics.DIRECTORY_SUBMISSIONS, 0, partitions, stored):
        decision = None if leaf is None else read_decision(leaf)
        again.drawn.salts = _drawn(stored, record, decision, partitions)
        step = again.step(record, decision, inboxes)
        _compare(step.writes, stored, partitions, record.offset, state)
    assert state == _last(read(topics.STATE, partitions))
    return again.directories


def _submitted(
    read: Read, topic: str, partition: int, own: int, stored: _Stored
) -> Iterator[tuple[Record, bytes | None]]:
    for record in read(topic, partition):
        yield record, stored.decisions.get((own, record.offset))


def _stored(read: Read, partitions: int, agencies: Sequence[str]) -> _Stored:
    decisions: dict[tuple[int, int], bytes] = {}
    for own in range(partitions + 1):
        for record in read(topics.LEDGER, own):
            headers = dict(record.headers)
            if headers[H_KIND] == KIND_EVENT:
                leaf = headers[H_DECISION] or b""
                decisions[own, read_decision(leaf).offset] = leaf
    deliveries: dict[tuple[str, str], bytes] = {}
    verdicts: dict[tuple[int, int], bytes] = {}
    for agency in agencies:
        for record in read(topics.inbox(agency), 0):
            headers = dict(record.headers)
            if headers[H_KIND] == KIND_DELIVERY:
                delivery = read_delivery(headers[H_DELIVERY] or b"")
                deliveries[delivery.event, delivery.recipient] = headers[H_DELIVERY] or b""
            else:
                verdict = read_verdict(record.value or b"")
                verdicts[verdict.partition, verdict.counter] = record.value or b""
    return _Stored(decisions=decisions, deliveries=deliveries, verdicts=verdicts)


def _drawn(stored: _Stored, record: Record, decision: Decision | None, own: int) -> list[bytes]:
    """Return the salts of one submission's leaves, in the order in which the router draws them."""
    if decision is None:
        return []
    told = [decision.salt]
    if decision.code is Code.ACCEPTED and decision.case is not None:
        recipients = Envelope.decode(record.value or b"").data.recipients
        told += [read_delivery(stored.deliveries[decision.event, recipient]).salt for recipient in recipients]
    verdict = stored.verdicts.get((own, decision.counter))
    if verdict is not None:
        told.append(read_verdict(verdict).salt)
    return [unb64(salt) for salt in told]


def _compare(writes: Sequence[Write], stored: _Stored, own: int, offset: int, state: dict[bytes, bytes | None]) -> None:
    for write in writes:
        headers = dict(write.headers)
        if write.topic == topics.STATE:
            state[write.key or b""] = write.value
        elif write.topic == topics.LEDGER:
            assert headers.get(H_DECISION) == stored.decisions.get((own, offset))
        elif write.topic != topics.DIRECTORY and headers[H_KIND] == KIND_DELIVERY:
            delivery = read_delivery(headers[H_DELIVERY])
            assert headers[H_DELIVERY] == stored.deliveries[delivery.event, delivery.recipient]
        elif write.topic != topics.DIRECTORY:
            assert write.value == stored.verdicts[own, read_verdict(write.value or b"").counter]


def _last(records: Sequence[Record]) -> dict[bytes, bytes | None]:
    """Return the last value of each key, as compaction keeps it."""
    return {record.key or b"": record.value for record in records}
