"""
A process: what cannot be saved. One Ed25519 verification for each event, and the same records and bytes forwarded in
batches built by hand, one transaction for each batch of a partition.

No parsing, no rule, no state, no signature of its own: the router's CPU time is compared with this one's.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from measure.outputs import LEDGER, PARTITIONS, STATE, Outputs
from reaching import operator_of
from referral_contracts import topics
from referral_contracts.encoding import unb64
from referral_contracts.signing import Typ, parse_signature
from referral_contracts.topics import BATCH_MAX
from service_chassis import memory

_FETCH_BYTES = 4 * 1024 * 1024
"""Of a partition at a time: as much as the router."""


async def forward(bootstrap: str, outputs: Outputs, keys: dict[str, Ed25519PublicKey]) -> None:
    """Verify and forward everything in the input topic, until ended."""
    consumer = AIOKafkaConsumer(
        **operator_of(bootstrap).connection,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=_FETCH_BYTES,
    )
    producer = AIOKafkaProducer(
        **operator_of(bootstrap).connection,
        transactional_id="bench-floor",
        acks="all",
        linger_ms=0,
        retry_backoff_ms=1,
        max_batch_size=BATCH_MAX,
    )
    await consumer.start()
    await producer.start()
    await producer.client.set_topics({LEDGER, STATE}.union(*outputs.targets.values()))
    consumer.assign([TopicPartition(topics.SUBMISSIONS, number) for number in range(PARTITIONS)])
    while True:
        for tp, records in (await consumer.getmany(timeout_ms=200)).items():
            for record in records:
                _verify(record, keys)
            await _transact(producer, tp.partition, records, outputs)


def _verify(record: Any, keys: dict[str, Ed25519PublicKey]) -> None:  # noqa: ANN401 - aiokafka is untyped
    signature = parse_signature(record.headers[0][1], Typ.EVENT)
    keys[signature.kid].verify(signature.raw, signature.protected + b"." + record.value)


async def _transact(producer: AIOKafkaProducer, partition: int, records: list[Any], outputs: Outputs) -> None:
    built: dict[tuple[str, int], list[Any]] = {}

    def add(topic: str, partition: int, key: bytes, value: bytes, headers: list[tuple[str, bytes]]) -> None:
        batches = built.get((topic, partition))
        if batches is None:
            batches = built[topic, partition] = [producer.create_batch()]
        if batches[-1].append(timestamp=None, key=key, value=value, headers=headers) is None:
            batches.append(producer.create_batch())
            batches[-1].append(timestamp=None, key=key, value=value, headers=headers)

    for record in records:
        *inboxes, sender = outputs.targets[record.key]
        for inbox in inboxes:
            add(inbox, 0, record.key, record.value, outputs.copy)
        add(LEDGER, partition, record.key, record.value, outputs.ledger)
        add(sender, 0, record.key, outputs.verdict, outputs.verdict_headers)
        add(STATE, partition, record.key, outputs.state, [])
    async with producer.transaction():
        sent = [
            await producer.send_batch(batch, topic, partition=number)
            for (topic, number), batches in built.items()
            for batch in batches
        ]
        await asyncio.gather(*sent)


def _keys(text: str) -> dict[str, Ed25519PublicKey]:
    pairs = [pair.split("=") for pair in text.split(",")]
    return {kid: Ed25519PublicKey.from_public_bytes(unb64(public)) for kid, public in pairs}


if __name__ == "__main__":
    if "kept" in sys.argv[4:]:
        memory.settle()
    asyncio.run(forward(sys.argv[1], Outputs.load(Path(sys.argv[2])), _keys(sys.argv[3])))
