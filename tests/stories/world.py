"""
The people of the stories, and a few words to let them speak: the router's real rules, in memory, without the SDK.

Events are built from the contracts alone, so a story can also say what no client would: forged, late, out of turn.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final, TypeAlias

import referral_router.core
from referral_bus import AgencyKeys
from referral_bus.testing import SERVICES, Clock, Rules, Simulator
from referral_bus.testing.clock import START_MS
from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.decisions import Verdict, read_delivery, read_verdict
from referral_contracts.encoding import event_hash
from referral_contracts.envelope import (
    Envelope,
    EventRef,
    HandoffKey,
    case_pseudonym,
    seal_context,
)
from referral_contracts.errors import NotForUs
from referral_contracts.keys import SigningKey, VerifyKey
from referral_contracts.lifecycle import CLOCK_VERBS
from referral_contracts.payloads.actor import Actor, Role
from referral_contracts.payloads.clock import ClockSection
from referral_contracts.records import Record
from referral_contracts.sealing import SealContext, new_event_id, random_salts, seal, unseal
from referral_contracts.sections import encode_section
from referral_contracts.signing import Typ
from referral_contracts.topics import H_SIGNATURE, SUBMISSIONS, partition_for
from referral_contracts.verbs import Verb
from referral_contracts.wire import Section
from tests.envelopes import spelled
from tests.stories.audit import Audit, audit
from tests.stories.rejudged import judged_otherwise
from tests.stories.standings import check_standings

HOTLINE: Final = "hotline-111"
WARD: Final = "ward-a"
NEXT_WARD: Final = "ward-b"
POLICE: Final = "police"
HOSPITAL: Final = "hospital"
SOCIAL_WORK: Final = "social-work"
LEGAL_AID: Final = "legal-aid"
SECOND_LEGAL_AID: Final = "legal-aid-second"
SCHOOL: Final = "school"
STRANGER: Final = "clinic"

ROLES: Final[Mapping[str, Sequence[str]]] = {
    HOTLINE: ["hotline"],
    WARD: ["commune"],
    NEXT_WARD: ["commune"],
    POLICE: ["police"],
    HOSPITAL: ["hospital"],
    SOCIAL_WORK: ["social-work"],
    LEGAL_AID: ["legal-aid"],
    SECOND_LEGAL_AID: ["legal-aid"],
    SCHOOL: ["school"],
    STRANGER: ["hospital"],
}

Salts: TypeAlias = Callable[[int, int], Sequence[bytes]]

BUS: Final = "training"
NO_CLOCK: Final = encode_section(ClockSection(actor=Actor(role=Role.SYSTEM), triggers="none"))
"""What the deadline watcher is told of an event that starts and stops nothing."""
WATCHER: Final = "watcher"


@cache
def keys() -> Mapping[str, AgencyKeys]:
    """Return everybody's keys: the same in every world, so that two worlds can be compared."""
    return {name: AgencyKeys.generate(name) for name in (*SERVICES, *ROLES, "root")}


def no_salt(count: int, size: int) -> Sequence[bytes]:
    """Return salts that are all the same: what is decided twice is then decided in the same bytes."""
    return [bytes(size)] * count


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An event, signed; whether anyone has heard it is another matter."""

    envelope: Envelope
    value: bytes
    signature: bytes

    @property
    def ref(self) -> EventRef:
        """The event, as another one names it."""
        return EventRef(id=self.envelope.id, sha256=event_hash(self.value))

    @property
    def case(self) -> str:
        return self.envelope.subject

    def to(self, recipient: str) -> HandoffKey:
        """Return the hand-off that the event opened for *recipient*."""
        return HandoffKey(opening=self.envelope.id, recipient=recipient)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A delivery in somebody's inbox."""

    envelope: Envelope
    value: bytes
    recipient: str
    counter: int
    read: tuple[bytes, ...]
    """What its reader can open."""
    closed: int
    """How many sections it cannot."""

    @property
    def verb(self) -> Verb:
        return self.envelope.verb

    @property
    def source(self) -> str:
        return self.envelope.source


def _texts(
    verb: Verb, together: tuple[str, ...], parts: Mapping[str, bytes], clock: bytes
) -> Iterator[tuple[bytes, tuple[str, ...]]]:
    """Yield what the sections of an event say, each with its readers."""
    yield from ((part, (name,)) for name, part in parts.items())
    if together or not parts:
        yield b"{}", together
    if verb in CLOCK_VERBS or clock is not NO_CLOCK:
        yield clock, (WATCHER,)


class World:
    """A bus and its people."""

    restless = False
    """Whether the router is killed before it hears of each submission; it must not matter."""

    def __init__(
        self,
        *,
        automatic: bool = True,
        salts: Callable[[int, int], Sequence[bytes]] = random_salts,
        partitions: int = 2,
        rules: Rules | None = None,
        begins_ms: int = START_MS,
    ) -> None:
        self.clock = Clock(begins_ms)
        self.simulator = Simulator(
            core=referral_router.core,
            agencies=ROLES,
            clock=self.clock,
            keys=keys(),
            automatic=automatic,
            salts=salts,
            partitions=partitions,
            rules=rules,
        )
        self.broker = self.simulator.broker
        if self.restless:
            self._unsettle()

    def _unsettle(self) -> None:
        heard = self.broker.on_append

        def killed_first() -> None:
            self.simulator.restart()
            if heard is not None:
                heard()

        self.broker.on_append = killed_first

    def write(
        self,
        source: str,
        verb: Verb,
        *,
        case: str | None = None,
        to: Iterable[str] = (),
        parts: Mapping[str, bytes] | None = None,
        about: HandoffKey | None = None,
        answers: Said | None = None,
        event_id: str | None = None,
        late_ms: int = 0,
        signer: SigningKey | None = None,
        clock: bytes = NO_CLOCK,
    ) -> Said:
        """
        Write an event, *verb*, and sign it; nobody hears it yet.

        Args:
            source: Who says it.
            case: Of which case; a new one by default.
            to: Who gets it, beside those of *parts*.
            parts: What each recipient alone is to read. Those of *to* read a section that all of *to* can open.
            about: Which hand-off it answers.
            answers: The event that it answers.
            event_id: Its id; a new one by default.
            late_ms: How long before now it claims to have been signed.
            signer: Whose key signs it; the speaker's by default.
            clock: What its clock section says.
        """
        together, parts = tuple(to), parts or {}
        event_id = event_id or new_event_id(self.clock.now_ms())
        subject = case or case_pseudonym(BUS, source, event_id)
        sections = tuple(
            self._sealed(text, seal_context(BUS, event_id, source, subject, about, number), (source, *readers))
            for number, (text, readers) in enumerate(_texts(verb, together, parts, clock))
        )
        envelope = spelled(
            source,
            verb,
            (*together, *parts),
            sections,
            bus=BUS,
            event_id=event_id,
            subject=subject,
            now_ms=self.clock.now_ms() - late_ms,
            about=about,
            answers=None if answers is None else answers.ref,
        )
        return sign(envelope, signer or keys()[source].signing)

    def _sealed(self, content: bytes, context: SealContext, readers: Iterable[str]) -> Section:
        directory, now_ms = self.simulator.directory, self.clock.now_ms()
        return seal(content, context, [directory.reader(name, now_ms) for name in readers]).section

    def submit(self, said: Said, *, key: bytes | None = None, partition: int | None = None) -> Record:
        """Let Kafka have it, at its place or at another."""
        place = partition_for(said.case, self.simulator.partitions) if partition is None else partition
        headers = ((H_SIGNATURE, said.signature),)
        return self.broker.append(SUBMISSIONS, place, key or said.case.encode(), said.value, headers)

    def told(self, said: Said) -> Code | None:
        """Return the last verdict's code on *said*, or None when its speaker has not been told anything."""
        verdicts = self.verdicts(said)
        return verdicts[-1].code if verdicts else None

    def verdicts(self, said: Said) -> list[Verdict]:
        """Return the verdicts on *said*, as its speaker can read them."""
        found = [read_verdict(record.value or b"") for record in self._inbox(said.envelope.source, b"verdict")]
        return [verdict for verdict in found if verdict.event == said.ref.sha256]

    def answer(self, said: Said) -> Verdict:
        """Submit *said* and return the verdict."""
        before = len(self.verdicts(said))
        self.submit(said)
        (verdict,) = self.verdicts(said)[before:]
        return verdict

    def say(
        self,
        source: str,
        verb: Verb,
        *,
        case: str | None = None,
        to: Iterable[str] = (),
        parts: Mapping[str, bytes] | None = None,
        about: HandoffKey | None = None,
        answers: Said | None = None,
        clock: bytes = NO_CLOCK,
    ) -> Said:
        """Say something that must be accepted."""
        said = self.write(source, verb, case=case, to=to, parts=parts, about=about, answers=answers, clock=clock)

        assert self.answer(said).code is Code.ACCEPTED
        return said

    def reply(
        self, source: str, verb: Verb, opened: Said, answers: Said | None = None, **changes: Iterable[str]
    ) -> Said:
        """Say *verb* as the recipient of what *opened* opened, to the one who opened it."""
        to = changes.get("to", (opened.envelope.source,))
        return self.say(source, verb, case=opened.case, to=to, about=opened.to(source), answers=answers or opened)

    def audit(self) -> Audit:
        """Check from outside that nothing was lost, doubled or forged."""
        directory, lanes = self.simulator.directory, self.simulator._lanes
        check_standings(
            self.broker.records,
            directory,
            partitions=self.simulator.partitions,
            remembered=lambda partition, subject: lanes[partition].fold.value(subject.encode("ascii")),
        )
        simulator = self.simulator

        assert judged_otherwise(self.broker.records, simulator.root, simulator.partitions) == []
        return audit(
            self.broker.records,
            [name for name in directory.entries if directory.member(name) is not None],
            bus=BUS,
            partitions=self.simulator.partitions,
            router=VerifyKey.load(keys()["router"].signing.public),
        )

    def inbox(self, agency: str) -> list[Copy]:
        """Return what *agency* was delivered."""
        return [self._copy(agency, record) for record in self._inbox(agency, b"delivery")]

    def _inbox(self, agency: str, kind: bytes) -> list[Record]:
        return [
            record
            for record in self.broker.records(topics.inbox(agency))
            if dict(record.headers)[topics.H_KIND] == kind
        ]

    def _copy(self, agency: str, record: Record) -> Copy:
        value = record.value or b""
        envelope = Envelope.decode(value)
        delivery = read_delivery(dict(record.headers)[topics.H_DELIVERY] or b"")
        read = []
        for number, section in enumerate(envelope.data.sections):
            try:
                read.append(unseal(section, envelope.seal_context(number), agency, keys()[agency].sealing[agency][0]))
            except NotForUs:
                continue
        return Copy(
            envelope=envelope,
            value=value,
            recipient=delivery.recipient,
            counter=delivery.counter,
            read=tuple(read),
            closed=len(envelope.data.sections) - len(read),
        )


def sign(envelope: Envelope, signer: SigningKey) -> Said:
    """Return *envelope*, signed by *signer*."""
    value = envelope.encode()
    return Said(envelope=envelope, value=value, signature=signer.sign(Typ.EVENT, value).encode())


def altered(said: Said, signer: SigningKey | None = None, **changes: object) -> Said:
    """Return *said* with other fields, under its old signature unless *signer* signs it anew."""
    envelope = said.envelope.model_copy(update=changes)
    if signer is not None:
        return sign(envelope, signer)
    return replace(said, envelope=envelope, value=envelope.encode())
