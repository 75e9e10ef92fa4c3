"""
What anybody can check of a partition's outputs, without the router's state: signatures, chain, numbers, copies.

It is given every transaction of a partition in turn, and complains at the first thing that is not as promised.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.decisions import (
    NO_DECISION,
    Decision,
    Delivery,
    Verdict,
    read_decision,
    read_delivery,
    read_verdict,
    verify_leaf,
)
from referral_contracts.encoding import b64, event_hash
from referral_contracts.envelope import Envelope
from referral_contracts.keys import VerifyKey
from referral_contracts.merkle import leaf_hash
from referral_contracts.records import Write
from referral_contracts.topics import H_DECISION, H_DELIVERY, H_KIND, H_PATH, H_ROOT, H_SIGNATURE, agency_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One submission and everything that came of it."""

    decision: Decision
    value: bytes
    """What the ledger keeps: nothing of what nobody is known to have said."""
    verdict: Verdict | None
    deliveries: tuple[Delivery, ...]

    @property
    def code(self) -> Code:
        return self.decision.code

    @property
    def copies(self) -> list[str]:
        return [delivery.recipient for delivery in self.deliveries]


@dataclass(slots=True)
class Audit:
    """One partition, watched from its beginning."""

    bus: str
    partition: int
    key: VerifyKey
    of_cases: bool = True
    """The partition of directory changes has neither cases nor copies."""
    chain: bytes = NO_DECISION
    counter: int = 0
    admitted: str = ""
    offset: int = -1
    sequences: Counter[str] = field(default_factory=Counter)
    copies: Counter[tuple[str, str, int]] = field(default_factory=Counter)

    def take(self, writes: Sequence[Write]) -> list[Judged]:
        """Check one transaction; return what became of its submissions, in order."""
        verdicts: dict[int, Verdict] = {}
        deliveries: dict[str, list[Delivery]] = {}
        for write in writes:
            kind = dict(write.headers).get(H_KIND)
            if kind == topics.KIND_VERDICT:
                verdict = self._verdict(write)
                assert verdicts.setdefault(verdict.counter, verdict) is verdict, "one verdict for each"
            elif kind == topics.KIND_DELIVERY:
                delivery = self._delivery(write)
                deliveries.setdefault(delivery.event, []).append(delivery)
        judged = [self._judged(write, verdicts, deliveries) for write in writes if _decided(write)]
        assert not verdicts, "no verdict without a decision"
        assert not deliveries, "no copy without an acceptance"
        self._check_state(writes)
        return judged

    def _verify(self, write: Write, leaf: bytes) -> None:
        headers = dict(write.headers)
        verify_leaf(leaf, headers[H_PATH], headers[H_ROOT], bus=self.bus, partition=self.partition, key=self.key)

    def _verdict(self, write: Write) -> Verdict:
        assert write.value is not None
        self._verify(write, write.value)
        assert {name for name, _ in write.headers} == {H_KIND, H_PATH, H_ROOT}
        return read_verdict(write.value)

    def _delivery(self, write: Write) -> Delivery:
        headers = dict(write.headers)
        self._verify(write, headers[H_DELIVERY])
        delivery = read_delivery(headers[H_DELIVERY])
        assert set(headers) == {H_KIND, H_SIGNATURE, H_DELIVERY, H_PATH, H_ROOT}
        assert (write.topic, write.partition) == (topics.inbox(agency_of(delivery.recipient)), 0)
        assert write.key == delivery.subject.encode()
        assert delivery.event == event_hash(write.value or b"")
        at = (delivery.subject, delivery.recipient, delivery.restored or 0)
        self.copies[at] += 1
        assert delivery.counter == self.copies[at], "a recipient's own count has no gap"
        return delivery

    def _judged(self, write: Write, verdicts: dict[int, Verdict], deliveries: dict[str, list[Delivery]]) -> Judged:
        headers = dict(write.headers)
        leaf = headers[H_DECISION]
        self._verify(write, leaf)
        decision = read_decision(leaf)
        assert (write.topic, write.partition) == (topics.LEDGER, self.partition)
        self._check_chain(decision, leaf)
        value = write.value or b""
        verdict = verdicts.pop(decision.counter, None)
        assert (verdict is not None) == bool(value), "exactly one verdict for a sender who is known, none for others"
        if verdict is not None:
            assert decision.event == verdict.event == event_hash(value)
            assert (verdict.code, verdict.decision) == (decision.code, b64(leaf_hash(leaf)))
        accepted = self.of_cases and decision.code is Code.ACCEPTED
        assert (decision.case is not None) == accepted
        copies: list[Delivery] = []
        if accepted:
            envelope = Envelope.decode(value)
            self.sequences[envelope.subject] += 1
            assert decision.case == self.sequences[envelope.subject], "a case's own count has no gap"
            copies = deliveries.pop(decision.event, [])
            assert [copy.recipient for copy in copies] == list(envelope.data.recipients), "exactly one copy for each"
        return Judged(decision=decision, value=value, verdict=verdict, deliveries=tuple(copies))

    def _check_chain(self, decision: Decision, leaf: bytes) -> None:
        assert (decision.bus, decision.partition) == (self.bus, self.partition)
        assert decision.previous == b64(self.chain), "the chain is unbroken"
        assert decision.counter == self.counter + 1
        assert decision.admitted >= self.admitted, "time does not go back"
        assert decision.offset > self.offset
        self.chain, self.counter = leaf_hash(leaf), decision.counter
        self.admitted, self.offset = decision.admitted, decision.offset

    def _check_state(self, writes: Sequence[Write]) -> None:
        state = [write for write in writes if write.topic == topics.STATE]
        assert writes[-1].key == topics.POSITION_KEY, "the position comes last"
        assert len({write.key for write in state}) == len(state)
        assert all(write.partition == self.partition and not write.headers for write in state)


def _decided(write: Write) -> bool:
    return H_DECISION in dict(write.headers)
