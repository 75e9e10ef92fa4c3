"""Stories through the router's own rules, whole: one is what SPEC section 1 shows and `life.json` holds."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, TypeAlias

from referral_contracts import topics
from referral_contracts.clocks import derive_clock
from referral_contracts.directory import Directory, entries_root
from referral_contracts.directory_model import POLICY_KEY, Change, ChangeData, Head, SignedHead, WireVersion
from referral_contracts.encoding import b64, event_hash, format_time
from referral_contracts.envelope import Envelope, EventData, EventRef, HandoffKey, case_pseudonym, seal_context
from referral_contracts.lifecycle import CLOCK_VERBS
from referral_contracts.payloads.payload import Payload
from referral_contracts.records import Record, Write
from referral_contracts.sealing import SealContext
from referral_contracts.sections import encode_section
from referral_contracts.signing import Typ
from referral_contracts.topics import partition_for
from referral_contracts.verbs import WIRE_VERSION
from referral_contracts.wire import Section
from referral_router.core import Registrar, Router, examine, verify_signature
from referral_router.core.ledger import Lane
from tools.vectors.cast import (
    BUS,
    REGISTRAR,
    ROOT_KEYS,
    ROUTER,
    START,
    TERM,
    TRUST_ROOT,
    WATCHER,
    Agency,
    event_id,
    secret,
)
from tools.vectors.frozen import Frozen
from tools.vectors.seals import sealed
from tools.vectors.story import FIRST, REQUEST, Saying, Story
from tools.vectors.vector import Vector, octets, valid

Seal: TypeAlias = Callable[[SealContext, Iterable[Agency], bytes], Section]
PARTITIONS: Final = 4
STEP_MS: Final = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An event as it was submitted."""

    envelope: Envelope
    value: bytes
    signature: bytes
    plaintexts: tuple[bytes, ...]
    record: Record

    @property
    def ref(self) -> EventRef:
        return EventRef(id=self.envelope.id, sha256=event_hash(self.value))


class Salts:
    """Salts that come out the same every time."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._drawn = 0

    def __call__(self, count: int, size: int) -> Sequence[bytes]:
        start, self._drawn = self._drawn, self._drawn + count
        return [secret(f"{self._label} salt {number}", size) for number in range(start, start + count)]


def first_change(story: Story) -> bytes:
    """Return the change that founds the directory of *story*."""
    entries = {POLICY_KEY: story.policy.encode()} | {entry.id: entry.encode() for entry in story.entries}
    until = None if story.wire_until_ms is None else format_time(story.wire_until_ms)
    head = Head(
        bus=BUS,
        entries=len(entries),
        expires=format_time(TERM.until_ms),
        issued=format_time(START),
        root=b64(entries_root(entries)),
        version=1,
        wire=(WireVersion(valid_from=format_time(TERM.from_ms), valid_until=until, version=WIRE_VERSION),),
    )
    signed = SignedHead(head=head, signatures=(ROOT_KEYS[0].sign(Typ.HEAD, head.encode()),))
    return Change(
        bus=BUS,
        data=ChangeData(agencies=story.entries, head=signed, policy=story.policy),
        id=event_id(1000 * story.number),
        source=REGISTRAR.id,
        time=format_time(START),
    ).encode()


class Life:
    """A story as bytes."""

    def __init__(self, frozen: Frozen, story: Story = FIRST) -> None:
        self._frozen = frozen
        self.story = story
        self.opening_id = self.identity(0, START + STEP_MS)
        self.subject = case_pseudonym(BUS, story.sayings[0].who.id, self.opening_id)
        self.partition = partition_for(self.subject, PARTITIONS)
        self.change = first_change(story)
        self.change_signature = ROOT_KEYS[0].sign(Typ.EVENT, self.change).encode()

    def identity(self, number: int, at_ms: int) -> str:
        """Return the id of what is said in this place of the story."""
        return event_id(1000 * self.story.number + number + 1, at_ms)

    @cached_property
    def inboxes(self) -> set[str]:
        return {agency.id for agency in self.story.cast}

    @cached_property
    def said(self) -> list[Said]:
        found: list[Said] = []
        at_ms = START
        for number, saying in enumerate(self.story.sayings):
            at_ms += saying.wait_ms + STEP_MS
            found.append(self.say(saying, found, number=number, at_ms=at_ms, seal=self._sealed))
        return found

    def _sealed(self, context: SealContext, readers: Iterable[Agency], plaintext: bytes) -> Section:
        return sealed(self._frozen, context, readers, plaintext)

    def say(self, saying: Saying, before: Sequence[Said], *, number: int, at_ms: int, seal: Seal) -> Said:
        """Return what is said in this place of the story, after *before*."""
        envelope, plaintexts = self.spell(saying, before, identity=self.identity(number, at_ms), at_ms=at_ms, seal=seal)
        value = envelope.encode()
        signature = saying.who.signing.sign(Typ.EVENT, value).encode()
        record = Record(
            self.partition, number, at_ms + 35, self.subject.encode(), value, ((topics.H_SIGNATURE, signature),)
        )
        return Said(envelope=envelope, value=value, signature=signature, plaintexts=plaintexts, record=record)

    def spell(
        self, saying: Saying, before: Sequence[Said], *, identity: str, at_ms: int, seal: Seal
    ) -> tuple[Envelope, tuple[bytes, ...]]:
        """Return the event that is said after *before*, and what is in its sections."""
        handoff = None
        if saying.of is not None:
            opening = before[saying.of].envelope
            handoff = HandoffKey(opening=opening.id, recipient=opening.data.recipients[saying.at])
        parts = [(encode_section(body), readers) for body, readers in _bodies(saying)]
        sections = tuple(
            seal(seal_context(BUS, identity, saying.who.id, self.subject, handoff, place), readers, plaintext)
            for place, (plaintext, readers) in enumerate(parts)
        )
        refs: dict[str, EventRef | None] = {
            name: None if told is None else before[told].ref
            for name, told in (
                ("answers", saying.answers),
                ("follows", saying.follows),
                ("supersedes", saying.supersedes),
            )
        }
        envelope = Envelope(
            bus=BUS,
            data=EventData(
                handoff=handoff, recipients=tuple(agency.id for agency in saying.to), sections=sections, **refs
            ),
            exercise=True,
            id=identity,
            source=saying.who.id,
            subject=self.subject,
            time=format_time(at_ms),
            type=saying.verb.type,
        )
        return envelope, tuple(plaintext for plaintext, _ in parts)

    def lane(self, partition: int) -> Lane:
        return Lane(bus=BUS, partition=partition, key=ROUTER.signing, salts=Salts(f"partition {partition}"))

    @cached_property
    def founding(self) -> tuple[Directory, list[Write]]:
        """The directory, and what its founding wrote."""
        registrar = Registrar(self.lane(PARTITIONS), TRUST_ROOT)
        record = Record(0, 0, START, None, self.change, ((topics.H_SIGNATURE, self.change_signature),))
        step = registrar.step([record], self.inboxes)
        registrar.merge(step)
        directory = registrar.directory()
        if directory is None:
            msg = "the first change does not stand"
            raise AssertionError(msg)
        return directory, [write for write in step.writes if write.topic != topics.STATE]

    def router(self, after: int) -> tuple[Router, list[list[Write]]]:
        """Return the router after so many sayings, and what it wrote of each, one transaction each."""
        directory, _ = self.founding
        router = Router(self.lane(self.partition), PARTITIONS)
        found = []
        for said in self.said[:after]:
            examined = examine(said.record, directory, BUS)
            verify_signature(examined)
            step = router.step([examined], directory, self.inboxes)
            router.merge(step)
            found.append([write for write in step.writes if write.topic != topics.STATE])
        return router, found

    @cached_property
    def written(self) -> list[list[Write]]:
        """What the router wrote of each event, one transaction each."""
        return self.router(len(self.said))[1]


def _bodies(saying: Saying) -> list[tuple[Payload, tuple[Agency, ...]]]:
    bodies: list[tuple[Payload, tuple[Agency, ...]]] = [(saying.body, (saying.who, *saying.to))]
    if saying.verb in CLOCK_VERBS:
        clock = derive_clock(saying.verb, saying.body, sender=saying.who.id, answering=REQUEST)
        bodies.append((clock, (saying.who, WATCHER)))
    return bodies


def records(life: Life) -> list[Write]:
    """Return all that the bus writes in a story, in order."""
    _, founding = life.founding
    return [write for writes in ([_without_value(w, life.change) for w in founding], *life.written) for write in writes]


def cases(life: Life) -> Iterator[Vector]:
    values = {said.value: {"submission": number} for number, said in enumerate(life.said)}
    yield valid(
        "life",
        life.story.name,
        life.story.comment,
        bus=BUS,
        partitions=PARTITIONS,
        trust_root=TRUST_ROOT.model_dump(),
        keys={
            agency.id: {"seed": b64(agency.signing.to_seed()), "sealing": b64(agency.sealing.to_bytes())}
            for agency in life.story.cast
        },
        change={
            "value": octets(life.change),
            "signature": octets(life.change_signature),
            "stamp": format_time(START),
        },
        submissions=[
            {
                "key": said.envelope.subject,
                "offset": said.record.offset,
                "partition": said.record.partition,
                "plaintexts": [octets(text) for text in said.plaintexts],
                "signature": octets(said.signature),
                "stamp": format_time(said.record.stamp_ms),
                "value": octets(said.value),
            }
            for said in life.said
        ],
        records=[record_of(write, values) for write in records(life)],
    )


def _without_value(write: Write, change: bytes) -> Write:
    # The change is there once already, and so are its entries.
    return replace(write, value=None) if write.topic == topics.DIRECTORY or write.value == change else write


def record_of(write: Write, values: dict[bytes, dict[str, int]]) -> dict[str, object]:
    value = None if write.value is None else values.get(write.value) or octets(write.value)
    return {
        "topic": write.topic,
        "partition": write.partition,
        "key": None if write.key is None else write.key.decode(),
        "headers": [[name, octets(header)] for name, header in write.headers],
        **({} if value is None else {"value": value}),
    }
