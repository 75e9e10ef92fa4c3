"""
Topic names, header names, size limits and the partition of a case.

No topic, key or header says what a case is about. Sizes are ordered so that whatever was taken in can be passed on:
envelope < submission < batch < outputs.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from referral_contracts.encoding import AGENCY

SUBMISSIONS: Final = "referral.submissions"
DIRECTORY_SUBMISSIONS: Final = "directory.submissions"
LEDGER: Final = "referral.ledger"
STATE: Final = "referral.state"
WATCHER_STATE: Final = "watcher.state"
DIRECTORY: Final = "directory"

H_SIGNATURE: Final = "signature"
H_KIND: Final = "kind"
H_DECISION: Final = "decision"
H_DELIVERY: Final = "delivery"
H_PATH: Final = "path"
H_ROOT: Final = "root"
H_ADMITTED: Final = "admitted"

KIND_DELIVERY: Final = b"delivery"
KIND_VERDICT: Final = b"verdict"
KIND_EVENT: Final = b"event"
KIND_TICK: Final = b"tick"

ENVELOPE_MAX: Final = 256 * 1024
SUBMISSION_MAX: Final = 320 * 1024
CHANGE_MAX: Final = 640 * 1024
"""A change of the directory: some two hundred agencies at a time. Its ledger record has to fit as well."""
BATCH_MAX: Final = 768 * 1024
OUTPUT_MAX: Final = 1024 * 1024

POSITION_KEY: Final = b"@position"
"""The reserved key of the state topic: ``@`` is in no case pseudonym and in no agency id."""

_AGENCY: Final = re.compile(AGENCY)


def inbox(agency: str) -> str:
    """Return the topic that *agency* reads."""
    return f"inbox.{agency}"


def agency_of(address: str) -> str:
    """Return the agency of an *address* (``agency`` or ``agency/desk``)."""
    return address.partition("/")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSpec:
    """A topic as it has to be."""

    name: str
    partitions: int
    config: dict[str, str] = field(default_factory=dict)


def topic_specs(partitions: int, agencies: Iterable[str] = ()) -> list[TopicSpec]:
    """Return every topic of a bus with *partitions* partitions of submissions and an inbox for each of *agencies*."""
    # The broker inflates what it is sent: a decompression bomb is refused at its real size. So on every topic that is
    # written or read by agencies.
    inflated = {"compression.type": "uncompressed"}
    intake = {
        **inflated,
        "message.timestamp.type": "LogAppendTime",
        "max.message.bytes": str(SUBMISSION_MAX),
        "retention.ms": str(30 * 24 * 3_600_000),
    }
    output = {"max.message.bytes": str(OUTPUT_MAX), "retention.ms": str(30 * 24 * 3_600_000)}
    # The audit log deletes what is old once it has it: a ledger that forgot by itself would leave a gap there.
    ledger = {**output, "retention.ms": "-1"}
    compacted = {
        "cleanup.policy": "compact",
        "max.message.bytes": str(OUTPUT_MAX),
        # The active segment is never cleaned: small and short-lived segments bound what a restart reads.
        "segment.bytes": str(64 * 1024 * 1024),
        "segment.ms": str(10 * 60_000),
        "min.cleanable.dirty.ratio": "0.2",
        "max.compaction.lag.ms": str(30 * 60_000),
        "delete.retention.ms": str(24 * 3_600_000),
    }
    fixed = [
        TopicSpec(name=SUBMISSIONS, partitions=partitions, config=intake),
        TopicSpec(name=DIRECTORY_SUBMISSIONS, partitions=1, config={**intake, "max.message.bytes": str(BATCH_MAX)}),
        TopicSpec(name=LEDGER, partitions=partitions + 1, config=ledger),
        TopicSpec(name=STATE, partitions=partitions + 1, config=compacted),
        TopicSpec(name=WATCHER_STATE, partitions=partitions + 1, config=compacted),
        TopicSpec(name=DIRECTORY, partitions=1, config={**compacted, **inflated}),
    ]
    inboxes = [
        TopicSpec(name=inbox(agency), partitions=1, config={**output, **inflated}) for agency in sorted(set(agencies))
    ]
    return fixed + inboxes


def partition_for(subject: str, partitions: int) -> int:
    """Return the partition of a case: murmur2 of its pseudonym, as Kafka's own clients partition a key."""
    return (_murmur2(subject.encode("ascii")) & 0x7FFFFFFF) % partitions


def _murmur2(data: bytes) -> int:
    # org.apache.kafka.common.utils.Utils.murmur2, seed 0x9747b28c.
    mask, m = 0xFFFFFFFF, 0x5BD1E995
    length = len(data)
    h = (0x9747B28C ^ length) & mask
    whole = length & ~3
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i : i + 4], "little") * m & mask
        k = (k ^ (k >> 24)) * m & mask
        h = (h * m & mask) ^ k
    if length > whole:
        h = (h ^ int.from_bytes(data[whole:], "little")) * m & mask
    h = (h ^ (h >> 13)) * m & mask
    return h ^ (h >> 15)
