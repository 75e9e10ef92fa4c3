"""
Offers as agencies submit them, thousands in a second: signed each by itself, sealed by the dozen.

The router never opens a section, so one sealing serves many events: to everything that it checks (form, sizes,
readers, keys, signature) they are what an agency would have sent. Each event opens hand-offs in a case of its own,
whose state is written as the router would have left it.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from measure.outputs import PARTITIONS
from measure.world import BUS, CROWD, SENDERS, TEAM, WATCHER, World
from referral_contracts import topics
from referral_contracts.decisions import NO_DECISION
from referral_contracts.encoding import event_hash, format_time
from referral_contracts.envelope import Envelope, EventData, case_pseudonym, seal_context
from referral_contracts.lifecycle import CaseState, State
from referral_contracts.records import Write
from referral_contracts.sealing import new_event_id, seal
from referral_contracts.signing import Typ
from referral_contracts.topics import H_SIGNATURE, partition_for
from referral_contracts.verbs import Verb
from referral_contracts.wire import Section, SectionReader
from referral_router.core.case import Case, Handoff
from referral_router.core.claims import Claim
from referral_router.core.position import Position
from referral_router.core.refs import Ref, undigested

_PLAINTEXT: Final = b'{"body":{},"schema":"handoff-request/1.0"}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One submission and what becomes of it."""

    write: Write
    sender: str
    recipients: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Load:
    """Offers, and the cases that they belong to."""

    name: str
    fanout: int
    made_ms: int
    offers: Sequence[Offer] = field(repr=False)
    cases: Sequence[Write] = field(repr=False)
    """State records: every case, opened."""

    @cached_property
    def event_bytes(self) -> int:
        """How long an event is, on average."""
        return sum(len(offer.write.value or b"") for offer in self.offers) // len(self.offers)

    @property
    def submissions(self) -> list[Write]:
        """What to put into the input topic."""
        return [offer.write for offer in self.offers]


class Mill:
    """Makes loads for one world."""

    def __init__(self, world: World, seed: int = 7) -> None:
        """Draw everything that is drawn here from *seed*."""
        self._world = world
        self._random = random.Random(seed)  # noqa: S311 - which recipients, nothing secret
        self._readers: dict[str, SectionReader] = {}
        self._sealed: Section | None = None

    def load(self, count: int, fanout: int, now_ms: int, *, crowd: bool = False) -> Load:
        """Return *count* offers to *fanout* recipients each: the few of the team, or drawn from the *crowd*."""
        offers, cases = [], []
        for number in range(count):
            sender = SENDERS[number % len(SENDERS)]
            recipients = tuple(self._random.sample(CROWD, fanout)) if crowd else TEAM[:fanout]
            opening = new_event_id(now_ms)
            subject = case_pseudonym(BUS, sender, opening)
            offers.append(self.offer(sender, subject, recipients, now_ms))
            cases.append(open_case(subject, sender, opening, now_ms))
        spread = f"of {len(CROWD)}" if crowd else "few topics"
        return Load(name=f"{fanout} recipients, {spread}", fanout=fanout, made_ms=now_ms, offers=offers, cases=cases)

    def offer(self, sender: str, subject: str, recipients: tuple[str, ...], now_ms: int) -> Offer:
        """Return one offer: a section for the recipients and the sender, and the watcher's clock section."""
        event_id = new_event_id(now_ms)
        return self._signed(sender, subject, recipients, event_id=event_id, verb=Verb.OFFERED, now_ms=now_ms)

    def opening(self, owner: str, now_ms: int) -> tuple[str, Offer]:
        """Return the name of a new case of *owner*, and the event that opens it."""
        event_id = new_event_id(now_ms)
        subject = case_pseudonym(BUS, owner, event_id)
        return subject, self._signed(owner, subject, (), event_id=event_id, verb=Verb.CASE_OPENED, now_ms=now_ms)

    def _signed(
        self, sender: str, subject: str, recipients: tuple[str, ...], *, event_id: str, verb: Verb, now_ms: int
    ) -> Offer:
        shared = [[self._reader(address) for address in (sender, *recipients)]] if recipients else []
        clock = [self._reader(address) for address in (sender, WATCHER)]
        envelope = Envelope(
            bus=BUS,
            data=EventData(recipients=recipients, sections=tuple(map(self._section, [*shared, clock]))),
            exercise=False,
            id=event_id,
            source=sender,
            subject=subject,
            time=format_time(now_ms),
            type=verb.type,
        )
        value = envelope.encode()
        signature = self._world.keys[sender].signing.sign(Typ.EVENT, value).encode("ascii")
        partition = partition_for(subject, PARTITIONS)
        headers = ((H_SIGNATURE, signature),)
        write = Write(topics.SUBMISSIONS, partition, subject.encode("ascii"), value, headers)
        return Offer(write=write, sender=sender, recipients=recipients)

    def _section(self, readers: list[SectionReader]) -> Section:
        if self._sealed is None:
            raise RuntimeError("a section has at least one reader")
        ordered = tuple(sorted(readers, key=lambda reader: reader.kid))
        return Section(commit=self._sealed.commit, content=self._sealed.content, readers=ordered)

    def _reader(self, address: str) -> SectionReader:
        found = self._readers.get(address)
        if found is None:
            directory = self._world.directory
            reader = directory.reader(address, directory.expires_ms - 1)
            context = seal_context(BUS, new_event_id(0), address, "0" * 32, None, 0)
            self._sealed = seal(_PLAINTEXT, context, [reader]).section
            found = self._readers[address] = self._sealed.readers[0]
        return found


def open_case(subject: str, owner: str, opening: str, now_ms: int, *, recipient: str | None = None) -> Write:
    """Return the state record of a case that *owner* has just opened, with a hand-off open for *recipient*."""
    event = event_hash(opening.encode("ascii"))
    head = Ref.of(opening, event)
    case = Case(state=CaseState.OPEN, owner=owner, head=head, sequence=1, parties={owner})
    case.use_up(owner, opening, Claim(event, "accepted", 1, NO_DECISION, now_ms))
    if recipient is not None:
        offer = Ref.of(new_event_id(now_ms), event)
        case.handoffs[f"{offer.id} {recipient}"] = Handoff(State.OFFERED, owner, offer, undigested(event))
        case.parties.add(recipient)
        case.deliveries[recipient] = 1
    return Write(topics.STATE, partition_for(subject, PARTITIONS), subject.encode("ascii"), case.encode(now_ms))


def positions(now_ms: int) -> list[Write]:
    """Return the reserved record of each partition of referrals: nothing has been judged yet."""
    value = Position(admitted_ms=now_ms, directory=1).encode()
    return [Write(topics.STATE, partition, topics.POSITION_KEY, value) for partition in range(PARTITIONS)]
