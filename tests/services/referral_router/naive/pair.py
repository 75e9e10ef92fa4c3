"""The router and the naive bus, told the same: each event is said to both, and both have to make the same of it."""

from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from itertools import count
from typing import NamedTuple

from hypothesis import currently_in_test_context, note

from referral_contracts.codes import Code
from referral_contracts.decisions import First, Verdict, read_delivery, read_verdict
from referral_contracts.envelope import EventRef, HandoffKey, case_pseudonym
from referral_contracts.records import Record, Write
from referral_contracts.topics import H_DELIVERY, H_KIND, KIND_DELIVERY, KIND_VERDICT, agency_of
from referral_contracts.verbs import Verb
from referral_contracts.wire import Section
from referral_router.core.case import Case as Kept
from tests.services.referral_router.founding import (
    BUS,
    INBOXES,
    KEYS,
    NOW,
    OFF_BUS,
    ROLES,
    WATCHER,
    YOUTH_POLICE,
    ending,
)
from tests.services.referral_router.naive.bus import NaiveBus, Ruling
from tests.services.referral_router.naive.case import Case, Handoff
from tests.services.referral_router.naive.tables import VERBS
from tests.services.referral_router.naive.town import Event, Key, Ref, Town
from tests.services.referral_router.world import Said, World, new_id, section

# The policy of `founding`, in words of its own.
TOWN = Town(
    bus=BUS,
    roles=dict(ROLES),
    addresses={*ROLES, YOUTH_POLICE} - {OFF_BUS},
    inboxes=set(INBOXES),
    may_open={"hotline", "commune"},
    may_say_all={"hotline", "commune", "police"},
    may_say={"case.noted", "handoff.notified"},
    may_know=[({"police", "hospital"}, True), ({"police", "hospital", "legal-aid", "commune"}, False)],
)


@dataclass(frozen=True, kw_only=True)
class Saying:
    """What somebody is going to say, and how well."""

    source: str
    verb: str
    to: tuple[str, ...] = ()
    case: str = ""
    """Nothing: the one that this event opens."""
    about: Key | None = None
    answers: Ref | None = None
    supersedes: Ref | None = None
    follows: Ref | None = None
    id: str = ""
    """Nothing: a new one."""
    served: bool = True
    """Whether the recipients can read something."""
    clocked: bool = True
    """Whether the watcher has its section, where the verb needs one."""
    exercise: bool | None = None
    """Nothing: as its case is."""


class Spoken(NamedTuple):
    """The same event for each of the two."""

    said: Said
    event: Event


class Outcome(NamedTuple):
    """What the router made of an event."""

    verdict: Verdict
    copies: list[str]
    told: bytes = b""
    """The verdict as its sender has it."""


@dataclass
class Pair:
    """The router's partition and the naive one."""

    world: World = field(default_factory=lambda: World(numbers=count()))
    naive: NaiveBus = field(default_factory=lambda: NaiveBus(town=TOWN, now=NOW))
    spoken: list[Spoken] = field(default_factory=list)
    first: dict[tuple[str, str, str], Verdict] = field(default_factory=dict)
    """The verdict that used up an id."""

    def wait(self, how_long_ms: int) -> None:
        self.world.now += how_long_ms
        self.naive.now += how_long_ms

    def sign(self, saying: Saying) -> Spoken:
        """Return an event, signed now; nobody has heard it yet."""
        event_id = saying.id or new_id(self.world.now, self.world.numbers)
        subject = saying.case or case_pseudonym(BUS, saying.source, event_id)
        sections = _sections(saying)
        case = self.naive.cases.get(subject)
        exercise = (case is not None and case.exercise) if saying.exercise is None else saying.exercise
        said = self.world.say(
            saying.source,
            Verb(saying.verb),
            *saying.to,
            case=subject,
            about=saying.about and HandoffKey(opening=saying.about[0], recipient=saying.about[1]),
            answers=saying.answers and _Named(saying.answers),
            supersedes=saying.supersedes and _Named(saying.supersedes),
            follows=saying.follows and _Named(saying.follows),
            event_id=event_id,
            sections=sections,
            exercise=exercise,
        )
        readers = frozenset(reader.address for part in sections for reader in part.readers)
        event = Event(
            source=saying.source,
            verb=saying.verb,
            to=saying.to,
            case=subject,
            id=event_id,
            hash=said.hash,
            time=self.world.now,
            about=saying.about,
            answers=saying.answers,
            supersedes=saying.supersedes,
            follows=saying.follows,
            readers=readers,
            clock=WATCHER in readers,
            exercise=exercise,
        )
        return Spoken(said, event)

    def say(self, *sayings: Saying) -> None:
        """Sign all of it before anything is heard, and submit it as one batch."""
        self.hear(*(self.sign(saying) for saying in sayings))

    def hear(self, *all_spoken: Spoken) -> None:
        """Let both judge these events; they have to agree on each, and on what all cases are like afterwards."""
        judged = self.world.submit(*(spoken.said for spoken in all_spoken))
        for spoken, came in zip(all_spoken, judged, strict=True):
            assert came.verdict is not None
            if currently_in_test_context():
                note(f"{spoken.event.source} said {spoken.event.verb} to {', '.join(spoken.event.to)}: {came.code}")
            self._agreed(spoken.event, Outcome(came.verdict, came.copies))
            self.spoken.append(spoken)
        self.agree_on_cases()

    def try_out(self, spoken: Spoken) -> Outcome:
        """Let both judge an event that is forgotten again."""
        step = self.world.step([self.record(spoken)])
        kept = self.naive, self.first
        self.naive = self._same_again()
        self.first = dict(self.first)
        outcome = _outcome(step.writes)
        self._agreed(spoken.event, outcome)
        self.naive, self.first = kept
        return outcome

    def fork(self) -> "Pair":
        """Return both as they are now, to go on with by itself; the router as after a restart."""
        world, audit = self.world.restored(), self.world.audit
        world.audit = replace(audit, sequences=Counter(audit.sequences), copies=Counter(audit.copies))
        return Pair(world=world, naive=self._same_again(), spoken=list(self.spoken), first=dict(self.first))

    def _same_again(self) -> NaiveBus:
        # A town is never changed: where agencies change, it is another.
        return deepcopy(self.naive, {id(self.naive.town): self.naive.town})

    def end(self, agency: str, at: int, *successors: str) -> None:
        """Let the registrar tell both that an agency ends, and who goes on for it."""
        self.world.directory = ending(self.world.directory, self.world.now, agency, at, successors)
        town = self.naive.town
        ends, heirs = {**town.ends, agency: at}, {**town.heirs, agency: successors}
        self.naive.town = replace(town, ends=ends, heirs=heirs)

    def record(self, spoken: Spoken) -> Record:
        (record,) = self.world.take([spoken.said])
        self.world.records.pop()
        return record

    def _agreed(self, event: Event, outcome: Outcome) -> None:
        again = self.first.get((event.case, event.source, event.id))
        remembered = bool(self.naive.out_of_hand(event) - {"outside-window", "agency-ended"})
        ruling, verdict = self.naive.hear(event), outcome.verdict
        accepted = not ruling.faults
        assert verdict.code.value in (ruling.faults or {"accepted"}), (verdict.code.value, ruling.faults, event)
        assert outcome.copies == (list(event.to) if accepted else []), event
        if verdict.code not in {Code.OUTSIDE_WINDOW, Code.AGENCY_ENDED} and not remembered:
            self.first[event.case, event.source, event.id] = verdict
        told = {
            name: value for name, value in verdict.model_dump(mode="json", exclude_none=True).items() if name in TOLD
        }
        owns = isinstance(ruling.tells, Case) and self.naive.voice(ruling.tells.owner) == event.source
        assert told == _told(ruling, verdict.code, again if remembered else None, owns=owns), event

    def agree_on_cases(self) -> None:
        kept = {key.decode(): Kept.decode(value) for key, value in self.world.state.items() if len(key) == 32}
        assert set(kept) == set(self.naive.cases)
        for subject, case in self.naive.cases.items():
            there = kept[subject]
            assert (there.archived, there.owner, there.sequence) == (case.archived, case.owner, case.events)
            assert (there.state, _ref(there.head.wire)) == (case.state, case.head)
            assert (there.pending, there.parties, there.restored) == (case.pending, case.parties, case.restored)
            assert (there.deliveries, there.exercise) == (case.copies, case.exercise)
            assert _handoffs(there) == {key: _standing(handoff) for key, handoff in case.handoffs.items()}


TOLD = {"first", "handoff", "head", "state", "case_head", "case_restored", "case_state", "open"}


class _Named(Said):
    """An event that is only going to be answered."""

    def __init__(self, ref: Ref) -> None:
        super().__init__(source="", id=ref[0], case="", value=ref[1].encode(), signature=b"")

    @property
    def ref(self) -> EventRef:
        return EventRef(id=self.id, sha256=self.value.decode())


def _sections(saying: Saying) -> list[Section]:
    readers = [address for address in saying.to if agency_of(address) in KEYS] if saying.served else []
    sections = [section(saying.source, *readers)] if readers or not saying.to else []
    needed = VERBS[saying.verb].clock and saying.clocked and WATCHER not in {saying.source, *readers}
    return [*sections, section(saying.source, WATCHER)] if needed else sections


def _outcome(writes: Sequence[Write]) -> Outcome:
    kinds = [(dict(write.headers), write) for write in writes]
    (verdict,) = [write.value for headers, write in kinds if headers.get(H_KIND) == KIND_VERDICT]
    copies = [headers[H_DELIVERY] for headers, _ in kinds if headers.get(H_KIND) == KIND_DELIVERY]
    told = verdict or b""
    return Outcome(read_verdict(told), [read_delivery(leaf).recipient for leaf in copies], told)


def _ref(ref: EventRef) -> Ref:
    return ref.id, ref.sha256


def _handoffs(case: Kept) -> dict[Key, tuple[str, str, str, Ref, str]]:
    return {
        (key.split(" ")[0], key.split(" ")[1]): (one.state, one.sender, one.holder, _ref(one.head.wire), one.receipt)
        for key, one in case.handoffs.items()
    }


def _standing(handoff: Handoff) -> tuple[str, str, str, Ref, str]:
    return handoff.state, handoff.sender, handoff.holder, handoff.head, handoff.receipt


def _spelled(ref: Ref) -> dict[str, str]:
    return {"id": ref[0], "sha256": ref[1]}


def _still(handoff: Handoff) -> dict[str, object]:
    return {
        "head": _spelled(handoff.head),
        **({"holder": handoff.holder} if handoff.holder else {}),
        "opening": handoff.opening[0],
        "recipient": handoff.recipient,
        "sender": handoff.sender,
        "state": handoff.state,
    }


def _told(ruling: Ruling, code: Code, first: Verdict | None, *, owns: bool) -> dict[str, object]:
    """Section 13: what a verdict tells besides its code."""
    if first is not None:
        told = First(code=first.code, counter=first.counter, decision=first.decision, event=first.event)
        return {"first": told.model_dump(mode="json")}
    match ruling.tells:
        case Handoff() as handoff:
            key = {"opening": handoff.opening[0], "recipient": handoff.recipient}
            return {"handoff": key, "head": _spelled(handoff.head), "state": handoff.state}
        case Case() as case if owns:
            told_of: dict[str, object] = {"case_head": _spelled(case.head), "case_state": case.state}
            if case.restored:
                told_of["case_restored"] = case.restored
            if code is Code.OPEN_HANDOFFS:
                told_of["open"] = [_still(case.handoffs[key]) for key in sorted(case.still_open())[:32]]
            return told_of
    return {}
