"""Events and inbox records made by hand: what the SDK would never write, and what only the router may."""

import json
from dataclasses import dataclass, field, replace

from referral_bus import AgencyKeys
from referral_contracts import topics
from referral_contracts.decisions import delivery_leaf, sign_batch
from referral_contracts.encoding import event_hash, format_time, jcs
from referral_contracts.envelope import Envelope, HandoffKey, seal_context
from referral_contracts.keys import SigningKey
from referral_contracts.merkle import leaf_hash
from referral_contracts.records import Headers, Record
from referral_contracts.sealing import new_event_id, seal
from referral_contracts.signing import Typ
from referral_contracts.topics import inbox, partition_for
from referral_contracts.verbs import Verb
from tests.envelopes import spelled
from tests.sdk.town import Town

SALT = b"\x00" * 16


def submit(town: Town, envelope: Envelope) -> bytes:
    """Sign *envelope* as its source and hand it to the bus; return its bytes."""
    value, subject = envelope.encode(), envelope.subject
    signature = town.sim.keys[envelope.source].signing.sign(Typ.EVENT, value).encode()
    partition = partition_for(subject, town.sim.partitions)
    town.sim.broker.append(topics.SUBMISSIONS, partition, subject.encode(), value, ((topics.H_SIGNATURE, signature),))
    return value


@dataclass(frozen=True, kw_only=True)
class Event:
    """An event with whatever plaintexts in its sections, each sealed to its readers and to the sender."""

    town: Town
    source: str
    verb: Verb
    subject: str
    recipients: tuple[str, ...]
    plaintexts: tuple[bytes, ...] = (b'{"body":{},"schema":"future/9.0"}',)
    handoff: HandoffKey | None = None
    id: str = ""
    sealed_as: tuple[int, ...] = ()
    """For each section the place that it is sealed for, where that is not its own."""

    def envelope(self) -> Envelope:
        now_ms, directory = self.town.sim.clock.now_ms(), self.town.sim.directory
        event_id = self.id or new_event_id(now_ms)
        places = self.sealed_as or tuple(range(len(self.plaintexts)))
        readers = [directory.reader(address, now_ms) for address in (self.source, *self.recipients)]
        watcher = [directory.reader(address, now_ms) for address in (self.source, "watcher")]
        sections = [
            seal(
                plaintext,
                seal_context(self.town.sim.bus, event_id, self.source, self.subject, self.handoff, place),
                readers,
            ).section
            for plaintext, place in zip(self.plaintexts, places, strict=True)
        ]
        clock_context = seal_context(
            self.town.sim.bus, event_id, self.source, self.subject, self.handoff, len(sections)
        )
        if self.source != "watcher":
            sections.append(seal(b'{"body":{},"schema":"clock/1.0"}', clock_context, watcher).section)
        return spelled(
            self.source,
            self.verb,
            self.recipients,
            sections,
            bus=self.town.sim.bus,
            event_id=event_id,
            subject=self.subject,
            now_ms=now_ms,
            about=self.handoff,
        )

    def submit(self) -> bytes:
        """Sign it as its source and hand it to the bus; return its bytes."""
        return submit(self.town, self.envelope())


@dataclass(frozen=True, kw_only=True)
class Copy:
    """One delivery record, as the router writes it."""

    town: Town
    value: bytes
    recipient: str
    counter: int
    signer: AgencyKeys
    """Who signs the event."""
    router: SigningKey | None = None
    bus: str | None = None
    admitted_ms: int | None = None
    partition: int = 0
    restored: int = 0
    changes: dict[str, bytes | None] = field(default_factory=dict)
    """Headers that are different, or missing."""

    @property
    def subject(self) -> str:
        """The case, also of an event that this version does not understand."""
        subject: str = json.loads(self.value)["subject"]
        return subject

    def headers(self) -> Headers:
        key = self.router or self.town.sim.keys["router"].signing
        bus = self.bus or self.town.sim.bus
        leaf = delivery_leaf(
            admitted=format_time(self.admitted_ms or self.town.sim.clock.now_ms()),
            bus=bus,
            counter=self.counter,
            event=event_hash(self.value),
            partition=self.partition,
            recipient=self.recipient,
            restored=self.restored,
            salt=SALT,
            subject=self.subject,
        )
        batch = sign_batch([leaf_hash(leaf)], bus=bus, partition=self.partition, key=key)
        told: dict[str, bytes | None] = {
            topics.H_KIND: topics.KIND_DELIVERY,
            topics.H_SIGNATURE: self.signer.signing.sign(Typ.EVENT, self.value).encode(),
            topics.H_DELIVERY: leaf,
            topics.H_PATH: batch.paths[0],
            topics.H_ROOT: batch.root,
            **self.changes,
        }
        return tuple((name, value) for name, value in told.items() if value is not None)

    def write(self) -> Record:
        """Lay it into the inbox."""
        agency = topics.agency_of(self.recipient)
        return self.town.sim.broker.append(inbox(agency), 0, self.subject.encode(), self.value, self.headers())


def changed(data: bytes, at: int = -1) -> bytes:
    """Return *data* with one byte changed."""
    spoiled = bytearray(data)
    spoiled[at] = ord("A") if spoiled[at] != ord("A") else ord("B")
    return bytes(spoiled)


def with_headers(record: Record, **changes: bytes | None) -> Record:
    """Return *record* with some headers different, or missing."""
    told = {**dict(record.headers), **changes}
    return replace(record, headers=tuple((name, value) for name, value in told.items() if value is not None))


def plaintext(schema: str, body: object) -> bytes:
    """Return what a section of this schema says."""
    return jcs({"body": body, "schema": schema})
