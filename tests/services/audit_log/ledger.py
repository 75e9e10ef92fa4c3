"""A ledger to log: records as the router writes them, judged and signed, without a router."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.decisions import NO_DECISION, decision_leaf, sign_batch
from referral_contracts.encoding import event_hash, format_time, uuid7
from referral_contracts.merkle import leaf_hash
from referral_contracts.records import Record
from referral_contracts.signing import Typ, sign
from referral_contracts.verbs import Verb
from tests.services.referral_router.founding import BUS, HOTLINE, KEYS, NOW, WARD

PARTITIONS = 3


@dataclass
class FakePartition:
    """One partition of the ledger, written in transactions."""

    number: int
    start: int = 0
    """The first offset that is still there."""
    records: list[Record] = field(default_factory=list)
    counter: int = 0
    chain: bytes = NO_DECISION

    def write(self, values: Sequence[bytes], *, code: Code = Code.ACCEPTED) -> list[Record]:
        """Write one transaction with a decision on each of *values*, and its marker."""
        leaves, hashes = [], []
        for value in values:
            self.counter += 1
            leaf = decision_leaf(
                admitted=format_time(NOW),
                bus=BUS,
                case=self.counter,
                code=code,
                counter=self.counter,
                directory=1,
                event=event_hash(value),
                offset=self.counter,
                partition=self.number,
                previous=self.chain,
                salt=self.counter.to_bytes(16, "big"),
                size=len(value),
                stamp=format_time(NOW),
            )
            self.chain = leaf_hash(leaf)
            leaves.append(leaf)
            hashes.append(self.chain)
        signed = sign_batch(hashes, bus=BUS, partition=self.number, key=KEYS["router"].signing)
        found = []
        for value, leaf, path in zip(values, leaves, signed.paths, strict=True):
            headers = (
                (topics.H_KIND, topics.KIND_EVENT),
                (topics.H_SIGNATURE, sign(KEYS[HOTLINE].signing, Typ.EVENT, value).encode()),
                (topics.H_DECISION, leaf),
                (topics.H_PATH, path),
                (topics.H_ROOT, signed.root),
            )
            found.append(self._add(value, headers))
        self._add(None, ())
        return found

    def tick(self) -> None:
        """Write a tick and its marker."""
        self._add(b"tick", ((topics.H_KIND, topics.KIND_TICK),))
        self._add(None, ())

    @property
    def end(self) -> int:
        """The offset after the last one."""
        return len(self.records)

    def _add(self, value: bytes | None, headers: tuple[tuple[str, bytes | None], ...]) -> Record:
        record = Record(self.number, len(self.records), NOW, None, value, headers)
        self.records.append(record)
        return record


def opening(number: int, *, subject: str | None = None, size: int = 0) -> bytes:
    """Return the bytes of an event that opens a hand-off; those of one *number* are always the same."""
    event_id = uuid7(NOW, number.to_bytes(10, "big"))
    told = {
        "bus": BUS,
        "data": {"recipients": [WARD], "sections": [{"ct": "x" * size}]},
        "id": event_id,
        "source": HOTLINE,
        "subject": subject or f"{number:032x}",
        "time": format_time(NOW),
        "type": Verb.OFFERED.type,
    }
    return json.dumps(told, separators=(",", ":"), sort_keys=True).encode()
