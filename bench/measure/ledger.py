"""What a router would have written to the ledger, made in advance: decided, chained and signed, and nothing judged."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from measure.world import BUS, SENDERS, TEAM
from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.decisions import NO_DECISION, decision_leaf, sign_batch
from referral_contracts.encoding import b64, event_hash, format_time
from referral_contracts.keys import SigningKey
from referral_contracts.merkle import leaf_hash
from referral_contracts.records import Record, Write
from referral_contracts.sealing import new_event_id, random_salts
from referral_contracts.signing import Typ, sign
from referral_contracts.verbs import Verb

BATCH: Final = 400
"""Events of a transaction when there is much to do; each has its decision, its delivery and its verdict."""
_LEAVES: Final = 3


def event(size: int, now_ms: int) -> bytes:
    """Return the bytes of an opening event of about *size* bytes, in a case of its own; nothing in it is sealed."""
    event_id, salt = new_event_id(now_ms), random_salts(1, 16)[0]
    told = {
        "bus": BUS,
        "data": {"recipients": [TEAM[salt[0] % len(TEAM)]], "sections": [{"ct": ""}]},
        "datacontenttype": "application/json",
        "exercise": False,
        "id": event_id,
        "source": SENDERS[salt[1] % len(SENDERS)],
        "specversion": "1.0",
        "subject": salt.hex(),
        "time": format_time(now_ms),
        "type": Verb.OFFERED.type,
    }
    empty = len(json.dumps(told, separators=(",", ":")))
    (noise,) = random_salts(1, max(0, size - empty) * 3 // 4)
    told["data"] = {"recipients": told["data"]["recipients"], "sections": [{"ct": b64(noise)}]}  # type: ignore[index]
    return json.dumps(told, separators=(",", ":"), sort_keys=True).encode()


@dataclass(frozen=True, slots=True)
class Signed:
    """An event as an agency submitted it, and its number within its case."""

    value: bytes
    signature: bytes
    number: int = 1


@dataclass(slots=True)
class Partition:
    """One partition's decisions, going on from the last one."""

    key: SigningKey
    number: int = 0
    directory: int = 1
    counter: int = 0
    chain: bytes = NO_DECISION

    def decide(self, events: Sequence[Signed], now_ms: int) -> list[Write]:
        """Return the records of a transaction in which *events* were accepted."""
        admitted, leaves, hashes = format_time(now_ms), [], list[bytes]()
        salts = random_salts(len(events), 16)
        for one, salt in zip(events, salts, strict=True):
            value = one.value
            self.counter += 1
            leaf = decision_leaf(
                admitted=admitted,
                bus=BUS,
                case=one.number,
                code=Code.ACCEPTED,
                counter=self.counter,
                directory=self.directory,
                event=event_hash(value),
                offset=self.counter,
                partition=self.number,
                previous=self.chain,
                salt=salt,
                size=len(value),
                stamp=admitted,
            )
            self.chain = leaf_hash(leaf)
            leaves.append(leaf)
            # The delivery's and the verdict's leaves lie beside it, and make the paths as long as they are.
            hashes += [self.chain, salt * 2, salt * 2]
        signed = sign_batch(hashes, bus=BUS, partition=self.number, key=self.key)
        return [
            Write(
                topics.LEDGER,
                self.number,
                None,
                one.value,
                (
                    (topics.H_KIND, topics.KIND_EVENT),
                    (topics.H_SIGNATURE, one.signature),
                    (topics.H_DECISION, leaf),
                    (topics.H_PATH, signed.paths[number * _LEAVES]),
                    (topics.H_ROOT, signed.root),
                ),
            )
            for number, (one, leaf) in enumerate(zip(events, leaves, strict=True))
        ]


def noise(count: int, size: int, now_ms: int, key: SigningKey) -> list[Signed]:
    """Return *count* events, each in a case of its own; one signature, of nothing, stands for all of theirs."""
    signature = sign(key, Typ.EVENT, b"anything").encode()
    return [Signed(event(size, now_ms), signature) for _ in range(count)]


def records(
    partition: Partition, count: int, size: int, now_ms: int, among: Iterator[Signed]
) -> Iterator[list[Record]]:
    """Yield *count* records of events of *size* bytes, by the transaction: the first of each is of *among*."""
    for start in range(0, count, BATCH):
        events = list(islice(among, 1))
        events += noise(min(BATCH, count - start) - len(events), size, now_ms, partition.key)
        yield [
            Record(partition.number, start + offset, now_ms, None, write.value, write.headers)
            for offset, write in enumerate(partition.decide(events, now_ms))
        ]
