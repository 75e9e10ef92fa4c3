"""
What must hold after any story, checked from outside: from the records alone, as an auditor with the directory would.

Every submission has one decision, in an unbroken chain; every submission of a verified sender has one verdict; every
recipient of an accepted event has one copy, counted without a gap; every case is numbered without a gap.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.decisions import (
    NO_DECISION,
    Decision,
    Delivery,
    read_decision,
    read_delivery,
    read_verdict,
    verify_leaf,
)
from referral_contracts.encoding import b64, event_hash
from referral_contracts.envelope import Envelope
from referral_contracts.keys import VerifyKey
from referral_contracts.merkle import leaf_hash
from referral_contracts.records import Record
from referral_contracts.topics import H_DECISION, H_DELIVERY, H_KIND, H_PATH, H_ROOT, KIND_DELIVERY, KIND_EVENT

Read = Callable[[str, int], Sequence[Record]]
"""All records of a partition of a topic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What was found."""

    decisions: Sequence[Decision]
    deliveries: Sequence[Delivery]
    codes: Counter[Code]


def audit(read: Read, agencies: Iterable[str], *, bus: str, partitions: int, router: VerifyKey) -> Audit:
    """Check everything about *partitions* partitions of submissions, or fail."""
    decisions: list[Decision] = []
    verdicts_due: Counter[tuple[str, str]] = Counter()
    copies_due: Counter[tuple[str, str]] = Counter()
    for partition in range(partitions):
        judged = _chain(read, partition, bus, router)
        decisions += [one.decision for one in judged]
        for one in judged:
            if not one.value:
                # Nobody is known to have said it, so nobody is answered.
                continue
            verdicts_due[_source(one.value), one.hash] += 1
            if one.decision.code is Code.ACCEPTED:
                recipients = Envelope.decode(one.value).data.recipients
                copies_due.update((recipient, one.decision.event) for recipient in recipients)
    verdicts: Counter[tuple[str, str]] = Counter()
    deliveries: list[Delivery] = []
    for agency in agencies:
        for record in read(topics.inbox(agency), 0):
            headers = dict(record.headers)
            if headers[H_KIND] == KIND_DELIVERY:
                leaf = headers[H_DELIVERY] or b""
                delivery = read_delivery(leaf)
                _proven(record, leaf, bus, delivery.partition, router)

                assert delivery.event == event_hash(record.value or b"")
                assert topics.agency_of(delivery.recipient) == agency
                deliveries.append(delivery)
            else:
                verdict = read_verdict(record.value or b"")
                _proven(record, record.value or b"", bus, verdict.partition, router)
                if verdict.partition < partitions:
                    verdicts[agency, verdict.decision] += 1

    assert verdicts_due == verdicts
    assert copies_due == Counter((delivery.recipient, delivery.event) for delivery in deliveries)
    _unbroken(deliveries)
    return Audit(decisions=decisions, deliveries=deliveries, codes=Counter(decision.code for decision in decisions))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    decision: Decision
    hash: str
    value: bytes


def _chain(read: Read, partition: int, bus: str, router: VerifyKey) -> list[_Judged]:
    """Return the decisions of one partition, once they are what follows from the submissions."""
    found: list[_Judged] = []
    numbers: defaultdict[bytes | None, int] = defaultdict(int)
    previous = NO_DECISION
    for record in read(topics.LEDGER, partition):
        headers = dict(record.headers)
        if headers[H_KIND] != KIND_EVENT:
            continue
        leaf = headers[H_DECISION] or b""
        decision = read_decision(leaf)
        _proven(record, leaf, bus, partition, router)

        assert decision.counter == len(found) + 1
        assert decision.previous == b64(previous)
        assert not record.value or decision.event == event_hash(record.value)
        if decision.code is Code.ACCEPTED:
            numbers[record.key] += 1

            assert decision.case == numbers[record.key]
        previous = leaf_hash(leaf)
        found.append(_Judged(decision=decision, hash=b64(previous), value=record.value or b""))
    decided = [(one.decision.offset, one.decision.event) for one in found]
    # A tick, which has no key, may be passed on without a decision.
    submitted = [
        (record.offset, event_hash(record.value or b""))
        for record in read(topics.SUBMISSIONS, partition)
        if record.key is not None or record.offset in dict(decided)
    ]

    assert decided == submitted
    return found


def _unbroken(deliveries: Iterable[Delivery]) -> None:
    counters: defaultdict[tuple[str, str, int | None], list[int]] = defaultdict(list)
    for delivery in deliveries:
        counters[delivery.recipient, delivery.subject, delivery.restored].append(delivery.counter)

    assert all(counted == list(range(1, len(counted) + 1)) for counted in counters.values())


def _proven(record: Record, leaf: bytes, bus: str, partition: int, router: VerifyKey) -> None:
    headers = dict(record.headers)
    verify_leaf(leaf, headers[H_PATH] or b"", headers[H_ROOT] or b"", bus=bus, partition=partition, key=router)


def _source(value: bytes) -> str:
    source: str = json.loads(value)["source"]
    return source
