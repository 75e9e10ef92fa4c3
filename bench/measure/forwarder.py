"""
A process: the bare forwarder. It consumes, sends, and knows nothing: no signature, no rule, no transaction.

As one writes it with aiokafka: acks=all, one `send` for each output, the batches left to the producer. To its advantage
it keeps no position and waits for a fetch's answers only after the next fetch.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from measure.outputs import LEDGER, PARTITIONS, STATE, Outputs
from reaching import operator_of
from referral_contracts import topics
from referral_contracts.topics import BATCH_MAX


async def forward(bootstrap: str, outputs: Outputs, *, large: bool, copies_only: bool) -> None:
    """Forward everything in the input topic, until ended."""
    consumer = AIOKafkaConsumer(
        **operator_of(bootstrap).connection, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    batching = {"max_batch_size": BATCH_MAX} if large else {}
    producer = AIOKafkaProducer(**operator_of(bootstrap).connection, acks="all", **batching)
    await consumer.start()
    await producer.start()
    await producer.client.set_topics({LEDGER, STATE}.union(*outputs.targets.values()))
    consumer.assign([TopicPartition(topics.SUBMISSIONS, number) for number in range(PARTITIONS)])
    send = producer.send
    before: list[asyncio.Future[Any]] = []
    while True:
        sent: list[asyncio.Future[Any]] = []
        for records in (await consumer.getmany(timeout_ms=200, max_records=500)).values():
            for record in records:
                key, value, own = record.key, record.value, record.partition
                *inboxes, sender = outputs.targets[key]
                for inbox in inboxes:
                    sent += [await send(inbox, value, key=key, partition=0, headers=outputs.copy)]
                if copies_only:
                    continue
                sent += [await send(LEDGER, value, key=key, partition=own, headers=outputs.ledger)]
                sent += [await send(sender, outputs.verdict, key=key, partition=0, headers=outputs.verdict_headers)]
                sent += [await send(STATE, outputs.state, key=key, partition=own)]
        await asyncio.gather(*before)
        before = sent


if __name__ == "__main__":
    options = sys.argv[3:]
    asyncio.run(
        forward(sys.argv[1], Outputs.load(Path(sys.argv[2])), large="large" in options, copies_only="copies" in options)
    )
