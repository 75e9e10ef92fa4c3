"""What a router would have written to the ledger, made in advance: decided, chained and signed, and nothing judged."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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


@dataclass(slots=True)
class Partition:
    """One partition's decisions, going on from the last one."""

    key: SigningKey
    number: int = 0
    directory: int = 1
    counter: int = 0
    chain: bytes = NO_DECISION

    def decide(self, values: Sequence[bytes], now_ms: int) -> list[Write]:
        """Return the records of a transaction in which *values* were accepted."""
        admitted, leaves, hashes = format_time(now_ms), [], list[bytes]()
        salts = random_salts(len(values), 16)
        for value, salt in zip(values, salts, strict=True):
            self.counter += 1
            leaf = decision_leaf(
                admitted=admitted,
                bus=BUS,
                case=1,
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
        signature = sign(self.key, Typ.EVENT, b"anything").encode()
        return [
            Write(
                topics.LEDGER,
                self.number,
                None,
                value,
                (
                    (topics.H_KIND, topics.KIND_EVENT),
                    (topics.H_SIGNATURE, signature),
                    (topics.H_DECISION, leaf),
                    (topics.H_PATH, signed.paths[number * _LEAVES]),
                    (topics.H_ROOT, signed.root),
                ),
            )
            for number, (value, leaf) in enumerate(zip(values, leaves, strict=True))
        ]


def records(partition: Partition, count: int, size: int, now_ms: int) -> Iterator[list[Record]]:
    """Yield *count* records of events of *size* bytes, by the transaction."""
    for start in range(0, count, BATCH):
        values = [event(size, now_ms) for _ in range(min(BATCH, count - start))]
        yield [
            Record(partition.number, start + offset, now_ms, None, write.value, write.headers)
            for offset, write in enumerate(partition.decide(values, now_ms))
        ]
