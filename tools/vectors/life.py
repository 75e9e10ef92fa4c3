"""One referral's whole life, through the router's own rules: what SPEC section 1 shows and `life.json` holds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from referral_contracts import topics
from referral_contracts.clocks import derive_clock
from referral_contracts.directory import Directory, entries_root
from referral_contracts.directory_model import POLICY_KEY, Change, ChangeData, Head, SignedHead, WireVersion
from referral_contracts.encoding import b64, event_hash, format_time
from referral_contracts.envelope import Envelope, EventData, EventRef, HandoffKey, case_pseudonym, seal_context
from referral_contracts.lifecycle import CLOCK_VERBS
from referral_contracts.payloads.actor import Actor, Role
from referral_contracts.payloads.case import CaseClosing, ClosingReason
from referral_contracts.payloads.handoff import Acceptance, Closing, Outcome, Receipt, Result
from referral_contracts.payloads.mau01 import ChildCategory, IntakeChannel, Mau01
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.request import HandoffRequest, Service, Urgency
from referral_contracts.records import Record, Write
from referral_contracts.sections import encode_section
from referral_contracts.signing import Typ
from referral_contracts.topics import partition_for
from referral_contracts.verbs import WIRE_VERSION, Verb
from referral_router.core import Registrar, Router, examine, verify_signature
from referral_router.core.ledger import Lane
from tools.vectors.cast import (
    BUS,
    EVERYBODY,
    HOSPITAL,
    HOTLINE,
    POLICY,
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
from tools.vectors.vector import Vector, octets, valid

PARTITIONS: Final = 4
_OPERATOR: Final = Actor(role=Role.HOTLINE_OPERATOR)
_DOCTOR: Final = Actor(role=Role.HEALTH_WORKER)
_SYSTEM: Final = Actor(role=Role.SYSTEM)
_STEP_MS: Final = 60_000

INTAKE: Final = Mau01(
    actor=_OPERATOR,
    child_category=ChildCategory.AT_RISK,
    channel=IntakeChannel.PHONE,
    current_condition="Trẻ kể bị đánh, đang ở nhà hàng xóm.",
)
REQUEST: Final = HandoffRequest(
    actor=_OPERATOR, service=Service.MEDICAL_CARE, urgency=Urgency.URGENT, medical="Vết bầm ở tay trái."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """One event of the story."""

    who: Agency
    verb: Verb
    to: tuple[Agency, ...] = ()
    body: Payload
    answers: int | None = None
    """Which saying it answers, counted from 0."""
    of: int | None = None
    """Which saying opened its hand-off."""


STORY: Final = (
    Saying(who=HOTLINE, verb=Verb.CASE_OPENED, body=INTAKE),
    Saying(who=HOTLINE, verb=Verb.OFFERED, to=(HOSPITAL,), body=REQUEST),
    Saying(who=HOSPITAL, verb=Verb.RECEIVED, to=(HOTLINE,), body=Receipt(actor=_SYSTEM), answers=1, of=1),
    Saying(who=HOSPITAL, verb=Verb.ACCEPTED, to=(HOTLINE,), body=Acceptance(actor=_DOCTOR), answers=1, of=1),
    Saying(
        who=HOSPITAL,
        verb=Verb.COMPLETED,
        to=(HOTLINE,),
        body=Outcome(actor=_DOCTOR, result=Result.ACHIEVED),
        answers=3,
        of=1,
    ),
    Saying(who=HOTLINE, verb=Verb.CLOSED, to=(HOSPITAL,), body=Closing(actor=_OPERATOR), answers=4, of=1),
    Saying(
        who=HOTLINE,
        verb=Verb.CASE_CLOSED,
        body=CaseClosing(actor=_OPERATOR, reason=ClosingReason.NO_LONGER_AT_RISK),
        answers=0,
    ),
)


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


def first_change() -> bytes:
    """Return the change that founds the directory."""
    entries = {POLICY_KEY: POLICY.encode()} | {agency.id: agency.entry.encode() for agency in EVERYBODY}
    head = Head(
        bus=BUS,
        entries=len(entries),
        expires=format_time(TERM.until_ms),
        issued=format_time(START),
        root=b64(entries_root(entries)),
        version=1,
        wire=(WireVersion(valid_from=format_time(TERM.from_ms), version=WIRE_VERSION),),
    )
    signed = SignedHead(head=head, signatures=(ROOT_KEYS[0].sign(Typ.HEAD, head.encode()),))
    return Change(
        bus=BUS,
        data=ChangeData(agencies=tuple(agency.entry for agency in EVERYBODY), head=signed, policy=POLICY),
        id=event_id(0),
        source=REGISTRAR.id,
        time=format_time(START),
    ).encode()


class Life:
    """The story as bytes."""

    def __init__(self, frozen: Frozen) -> None:
        self._frozen = frozen
        self.opening_id = event_id(1, START + _STEP_MS)
        self.subject = case_pseudonym(BUS, HOTLINE.id, self.opening_id)
        self.partition = partition_for(self.subject, PARTITIONS)
        self.change = first_change()
        self.change_signature = ROOT_KEYS[0].sign(Typ.EVENT, self.change).encode()

    @cached_property
    def said(self) -> list[Said]:
        found: list[Said] = []
        for number, saying in enumerate(STORY):
            found.append(self._say(number, saying, found))
        return found

    def _say(self, number: int, saying: Saying, before: Sequence[Said]) -> Said:
        at_ms = START + (number + 1) * _STEP_MS
        identity = event_id(number + 1, at_ms)
        handoff = None
        if saying.of is not None:
            opening = before[saying.of].envelope
            handoff = HandoffKey(opening=opening.id, recipient=opening.data.recipients[0])
        bodies: list[tuple[Payload, tuple[Agency, ...]]] = [(saying.body, (saying.who, *saying.to))]
        if saying.verb in CLOCK_VERBS:
            clock = derive_clock(saying.verb, saying.body, sender=saying.who.id, answering=REQUEST)
            bodies.append((clock, (saying.who, WATCHER)))
        plaintexts = tuple(encode_section(body) for body, _ in bodies)
        sections = tuple(
            sealed(
                self._frozen,
                seal_context(BUS, identity, saying.who.id, self.subject, handoff, place),
                readers,
                plaintexts[place],
            )
            for place, (_, readers) in enumerate(bodies)
        )
        envelope = Envelope(
            bus=BUS,
            data=EventData(
                answers=None if saying.answers is None else before[saying.answers].ref,
                handoff=handoff,
                recipients=tuple(agency.id for agency in saying.to),
                sections=sections,
            ),
            exercise=True,
            id=identity,
            source=saying.who.id,
            subject=self.subject,
            time=format_time(at_ms),
            type=saying.verb.type,
        )
        value = envelope.encode()
        signature = saying.who.signing.sign(Typ.EVENT, value).encode()
        record = Record(
            self.partition, number, at_ms + 35, self.subject.encode(), value, ((topics.H_SIGNATURE, signature),)
        )
        return Said(envelope=envelope, value=value, signature=signature, plaintexts=plaintexts, record=record)

    def lane(self, partition: int) -> Lane:
        return Lane(bus=BUS, partition=partition, key=ROUTER.signing, salts=Salts(f"partition {partition}"))

    @cached_property
    def founding(self) -> tuple[Directory, list[Write]]:
        """The directory, and what its founding wrote."""
        registrar = Registrar(self.lane(PARTITIONS), TRUST_ROOT)
        record = Record(0, 0, START, None, self.change, ((topics.H_SIGNATURE, self.change_signature),))
        step = registrar.step([record], {agency.id for agency in EVERYBODY})
        registrar.merge(step)
        directory = registrar.directory()
        if directory is None:
            msg = "the first change does not stand"
            raise AssertionError(msg)
        return directory, [write for write in step.writes if write.topic != topics.STATE]

    @cached_property
    def written(self) -> list[list[Write]]:
        """What the router wrote of each event, one transaction each."""
        directory, _ = self.founding
        router = Router(self.lane(self.partition), PARTITIONS)
        found = []
        for said in self.said:
            examined = examine(said.record, directory, BUS)
            verify_signature(examined)
            step = router.step([examined], directory, {agency.id for agency in EVERYBODY})
            router.merge(step)
            found.append([write for write in step.writes if write.topic != topics.STATE])
        return found


def cases(life: Life) -> Iterator[Vector]:
    _, founding = life.founding
    values = {said.value: {"submission": number} for number, said in enumerate(life.said)}
    yield valid(
        "life",
        "life",
        "SPEC section 1 in full; a value that was submitted is named by its place in submissions",
        bus=BUS,
        partitions=PARTITIONS,
        trust_root=TRUST_ROOT.model_dump(),
        keys={
            agency.id: {"seed": b64(agency.signing.to_seed()), "sealing": b64(agency.sealing.to_bytes())}
            for agency in EVERYBODY
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
        records=[
            _record(write, values)
            for writes in ([_without_value(w, life.change) for w in founding], *life.written)
            for write in writes
        ],
    )


def _without_value(write: Write, change: bytes) -> Write:
    # The change is there once already, and so are its entries.
    return replace(write, value=None) if write.topic == topics.DIRECTORY or write.value == change else write


def _record(write: Write, values: dict[bytes, dict[str, int]]) -> dict[str, object]:
    value = None if write.value is None else values.get(write.value) or octets(write.value)
    return {
        "topic": write.topic,
        "partition": write.partition,
        "key": None if write.key is None else write.key.decode(),
        "headers": [[name, octets(header)] for name, header in write.headers],
        **({} if value is None else {"value": value}),
    }
