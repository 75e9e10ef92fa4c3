"""
Somebody with every right on the broker, as who runs it has, and no key: reads the ledger, submits what is not his.

Nothing here is the SDK's. Nobody else would be let in: each agency has a certificate and the few rights it needs. But
what protects the case must not be the door.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from office import NotAsTold
from referral_bus._kafka import KafkaTransport
from referral_bus.transport import Submission
from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.decisions import Decision, read_decision, verify_leaf
from referral_contracts.directory import ROLE_ROUTER, Directory, TrustRoot
from referral_contracts.directory_shelf import Shelf
from referral_contracts.encoding import event_hash
from referral_contracts.envelope import Envelope
from referral_contracts.keys import SigningKey, VerifyKey
from referral_contracts.records import Record
from referral_contracts.signing import Typ, sign
from referral_contracts.topics import H_DECISION, H_KIND, H_PATH, H_ROOT, H_SIGNATURE, KIND_EVENT, partition_for
from referral_contracts.verbs import Verb

_WAIT_S: Final = 30.0
_READ_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A record of the ledger: what was decided, and the event's bytes unless nobody is known to have said it."""

    decision: Decision
    value: bytes
    signature: bytes


@dataclass(slots=True)
class _Place:
    offset: int
    entries: list[Entry] = field(default_factory=list)


class Outsider:
    """One who reads the ledger as it grows, and checks that the router has signed every line of it."""

    def __init__(self, transport: KafkaTransport, directory: Directory, partitions: int) -> None:
        """Read over *transport*; `arrive` is the way in."""
        self._transport = transport
        self._bus = directory.head.bus
        self._router = _router_key(directory)
        self.partitions = partitions
        self._places: dict[int, _Place] = {}

    @classmethod
    async def arrive(cls, transport: KafkaTransport, trust: TrustRoot) -> "Outsider":
        """Read the directory, and stand at the end of the ledger."""
        shelf = await read_directory(transport, trust)
        if shelf.current is None:
            raise NotAsTold("the bus has no directory that its trust root vouches for")
        here = cls(transport, shelf.current, await transport.partitions(topics.SUBMISSIONS))
        for partition in range(here.partitions):
            here._places[partition] = _Place((await transport.bounds(topics.LEDGER, partition))[1])
        return here

    async def find(self, subject: str, event_id: str) -> Entry:
        """Return the accepted event with this id."""
        wanted = f'"id":"{event_id}"'.encode()
        return await self._wait(
            partition_for(subject, self.partitions),
            lambda entry: wanted in entry.value and entry.decision.code is Code.ACCEPTED,
        )

    async def submit(self, subject: str, value: bytes, signature: bytes) -> Entry:
        """Put bytes of one's own choice into Kafka and return what the ledger says of them."""
        partition = partition_for(subject, self.partitions)
        place = self._places[partition]
        await self._catch_up(partition)
        before = len(place.entries)
        headers = [(H_SIGNATURE, signature)]
        await self._transport.submit(
            topics.SUBMISSIONS, [Submission(partition, subject.encode("ascii"), value, headers)]
        )
        digest = event_hash(value)
        return await self._wait(partition, lambda entry: entry.decision.event == digest, start=before)

    async def codes(self) -> Counter[Code]:
        """Return how often the ledger has said what, since arrival."""
        return Counter(entry.decision.code for entry in await self._all())

    async def codes_of(self, source: str) -> Counter[tuple[Verb, Code]]:
        """Return how often the ledger has said what to the words of *source*, since arrival."""
        from_there = f'"source":"{source}"'.encode()
        return Counter(
            (Envelope.decode(entry.value).verb, entry.decision.code)
            for entry in await self._all()
            if from_there in entry.value
        )

    async def _all(self) -> list[Entry]:
        for partition in self._places:
            await self._catch_up(partition)
        return [entry for place in self._places.values() for entry in place.entries]

    async def _wait(self, partition: int, wanted: Callable[[Entry], bool], start: int = 0) -> Entry:
        place, deadline = self._places[partition], time.monotonic() + _WAIT_S
        while True:
            found = next((entry for entry in place.entries[start:] if wanted(entry)), None)
            if found is not None:
                return found
            if time.monotonic() > deadline:
                raise NotAsTold("the ledger does not show it in time")
            await self._read(partition)

    async def _catch_up(self, partition: int) -> None:
        _, end = await self._transport.bounds(topics.LEDGER, partition)
        # Behind the last record may lie only a transaction's marker, which no reader is given.
        while self._places[partition].offset < end and await self._read(partition, wait_s=0.0):
            pass

    async def _read(self, partition: int, wait_s: float = _READ_S) -> int:
        """Read on, waiting a little for what is to come."""
        place = self._places[partition]
        records = await self._transport.read(topics.LEDGER, partition, place.offset, wait_s)
        place.entries += [self._entry(record) for record in records if dict(record.headers)[H_KIND] == KIND_EVENT]
        place.offset = records[-1].offset + 1 if records else place.offset
        return len(records)

    def _entry(self, record: Record) -> Entry:
        headers = dict(record.headers)
        leaf = headers[H_DECISION] or b""
        verify_leaf(
            leaf,
            headers[H_PATH] or b"",
            headers[H_ROOT] or b"",
            bus=self._bus,
            partition=record.partition,
            key=self._router,
        )
        return Entry(decision=read_decision(leaf), value=record.value or b"", signature=headers.get(H_SIGNATURE) or b"")


async def read_directory(transport: KafkaTransport, trust: TrustRoot) -> Shelf:
    """Return the directory as *trust* has it; everybody may read it."""
    shelf = Shelf(trust)
    offset, end = await transport.bounds(topics.DIRECTORY, 0)
    while offset < end and (records := await transport.read(topics.DIRECTORY, 0, offset, 0.0)):
        for record in records:
            shelf.take(record.key, record.value)
        offset = records[-1].offset + 1
    shelf.settle()
    return shelf


def changed(entry: Entry) -> bytes:
    """Return an event's bytes with another verb: what was signed no longer fits."""
    return Envelope.decode(entry.value).model_copy(update={"type": Verb.COMPLETED.type}).encode()


def resigned(entry: Entry, key: SigningKey) -> tuple[bytes, bytes]:
    """Return the same, signed again with a *key* that is somebody else's."""
    value = changed(entry)
    return value, sign(key, Typ.EVENT, value).encode("ascii")


def _router_key(directory: Directory) -> VerifyKey:
    name = directory.service(ROLE_ROUTER)
    member = None if name is None else directory.member(name)
    if member is None:
        raise NotAsTold("the directory names no router")
    return next(iter(member.event_keys.values())).key
