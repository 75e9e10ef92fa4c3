"""
The bus once more, as plainly as the prose says it: what has to become of an event, to be held against the router.

Read it with SPEC beside it: sections 9 (the tables and the rules under them), 10 (recipients), 12 (the order of the
faults) and 13 (what a verdict tells). It shares no line with the code that it judges, and is neither quick nor thrifty.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

from tests.services.referral_router.naive.case import (
    Case,
    Handoff,
    begin,
    happens_to_case,
    happens_to_handoff,
)
from tests.services.referral_router.naive.tables import (
    BY_WATCHER,
    CASES,
    CLOCKS,
    DEADLINES,
    END_AN_OFFER,
    ENDED,
    FOLLOWED,
    HANDOFFS,
    LINKS,
    MOVED,
    OPEN,
    OPENING,
    PERHAPS_NEVER_GOT,
    RECEIPTS,
    TALK,
    VERBS,
    WATCHER,
)
from tests.services.referral_router.naive.town import Event, Town, agency

HOUR = 3_600_000
WINDOW = 2 * HOUR
KEEP_CLOSED = 24 * HOUR
PUT_AWAY = 8
MOST = 128
MOST_OF_STRANGERS = 32


class Used(NamedTuple):
    """An id that somebody has used up."""

    hash: str
    at: int
    """The later of its time and its admission."""
    inside: bool
    """Whether its sender was a party."""


class Ruling(NamedTuple):
    """With which codes an event may be refused (none: it is accepted), and of what the verdict tells the state."""

    faults: set[str]
    tells: Case | Handoff | None = None


@dataclass(kw_only=True)
class NaiveBus:
    """One partition, told of everything that is said in it."""

    town: Town
    now: int
    cases: dict[str, Case] = field(default_factory=dict)
    used: dict[tuple[str, str, str], Used] = field(default_factory=dict)
    """By case, source and id."""
    touched: dict[tuple[str, str], int] = field(default_factory=dict)
    """When a party of a case (as ``""``), or somebody who is none, last used up an id on it."""

    def hear(self, said: Event) -> Ruling:
        """Section 12: judge an event, and let happen what comes of it."""
        self.put_away()
        if faults := self.out_of_hand(said):
            return Ruling(faults)
        ruling = self.by_the_case(said)
        if not ruling.faults:
            self.happens(said)
            ruling = Ruling(set(), self.cases[said.case]) if said.verb == "case.opened" else ruling
        inside = self.inside(said) or not ruling.faults
        self.used[said.case, said.source, said.id] = Used(said.hash, max(self.now, said.time), inside)
        self.touched[said.case, "" if inside else said.source] = self.now
        return ruling

    def voice(self, name: str) -> str | None:
        """Who speaks for an agency by now."""
        return self.town.voice(name, self.now)

    def is_party(self, source: str, case: Case) -> bool:
        return source in case.parties or source in map(self.voice, case.parties)

    def parts_in(self, source: str, handoff: Handoff, case: Case) -> list[str]:
        """Return the parts that an agency plays in a hand-off, in the order in which they are tried."""
        parts = {
            "recipient": source == self.voice(agency(handoff.held_by)),
            "sender": source == self.voice(handoff.sender),
            "owner": source == self.voice(case.owner),
            "watcher": source == WATCHER,
        }
        return [part for part, plays in parts.items() if plays]

    def out_of_hand(self, said: Event) -> set[str]:
        """Points 10, 12, 14 and 15: who has ended, the time, and ids that were used."""
        if self.town.ended(said.source, self.now):
            return {"agency-ended"}
        if abs(said.time - self.now) > WINDOW:
            return {"outside-window"}
        used = {key: one for key, one in self.used.items() if key[0] == said.case and one.at >= self.now - 3 * WINDOW}
        if was := used.get((said.case, said.source, said.id)):
            return {"duplicate" if was.hash == said.hash else "id-reused"}
        own = [one for (_, source, _), one in used.items() if source == said.source and one.inside == self.inside(said)]
        most = (MOST // 2 if said.verb in RECEIPTS["none"] else MOST) if self.inside(said) else MOST_OF_STRANGERS
        return {"too-many"} if len(own) >= most else set()

    def inside(self, said: Event) -> bool:
        case = self.cases.get(said.case)
        if said.source == WATCHER:
            return case is not None and not case.archived
        return case is not None and said.source in case.parties

    def by_the_case(self, said: Event) -> Ruling:
        """Points 16 to 22."""
        case, kind, source = self.cases.get(said.case), VERBS[said.verb], said.source
        restoring = case is not None and case.archived and source == self.voice(case.owner)
        if restoring and said.verb != "case.reopened":
            return Ruling({"archived"})
        if said.verb == "case.opened":
            return Ruling(self.new_case(said))
        timely = source == WATCHER and ((said.verb in BY_WATCHER and said.about) or said.verb in DEADLINES)
        if not case or not (self.is_party(source, case) or restoring or timely):
            return Ruling({"not-found"})
        if timely and case.archived:
            return Ruling({"archived" if said.verb in DEADLINES else "not-found"})
        if said.exercise != case.exercise:
            return Ruling({"wrong-exercise"})
        of_case = not said.verb.startswith("handoff.")
        wrong = bool(said.about) != kind.handoff or bool(said.supersedes) != kind.corrects
        wrong = wrong or (bool(said.follows) and said.verb not in OPENING)
        if wrong or bool(said.answers) != bool(kind.answers):
            return Ruling({"malformed-envelope"}, case if of_case else None)
        if said.verb in OPENING:
            return Ruling(self.new_handoffs(said, case))
        return Ruling(self.of_case(said, case), case) if of_case else self.of_handoff(said, case)

    def new_case(self, said: Event) -> set[str]:
        if said.case in self.cases or said.case != pseudonym(self.town.bus, said.source, said.id):
            return {"wrong-subject"}
        if said.answers or said.about or said.supersedes or said.follows:
            return {"malformed-envelope"}
        faults = self.addressing(said)
        if said.to:
            faults.add("wrong-recipients")
        if self.town.roles[said.source] not in self.town.may_open:
            faults.add("not-permitted")
        return faults

    def addressing(self, said: Event) -> set[str]:
        return self.town.addressing(said, self.now)

    def new_handoffs(self, said: Event, case: Case) -> set[str]:
        if case.state in ENDED:
            return {"illegal-transition"}
        if faults := self.after_another(said, case):
            return faults
        if said.id in {opening for opening, _ in case.handoffs}:
            return {"id-reused"}
        nobody = set() if said.to else {"wrong-recipients"}
        return nobody | self.addressing(said) | self.town.policy(said.source, said.verb, said.to)

    def after_another(self, said: Event, case: Case) -> set[str]:
        """Section 9, one after another: what it follows is over, and the speaker asked for it or owns the case."""
        headed = [one for one in case.handoffs.values() if one.head == said.follows]
        mine = [one for one in headed if said.source in (self.voice(one.sender), self.voice(case.owner))]
        if not said.follows or any(one.state in FOLLOWED for one in mine):
            return set()
        return {"illegal-transition"} if mine else {"not-found"}

    def of_case(self, said: Event, case: Case) -> set[str]:
        parts = {"party": True, "owner": said.source == self.voice(case.owner)}
        parts |= {"pending": said.source == self.voice(case.pending), "watcher": said.source == WATCHER}
        mine = [part for part, plays in parts.items() if plays]
        if not ever(said.verb, mine, CASES):
            return {"wrong-party"}
        if VERBS[said.verb].answers and said.answers != case.head:
            return {"stale-head"}
        if not any(f"{said.verb} by {part}" in CASES[case.state] for part in mine):
            return {"illegal-transition"}
        faults, count = self.addressing(said), len(said.to)
        owner = self.meant_for(said, {case.owner})
        wrong = {
            "case.transfer.accepted": set(said.to) != owner,
            "case.transfer.declined": set(said.to) != owner,
            "case.transfer.withdrawn": set(said.to) != self.meant_for(said, {case.pending}),
            "case.transfer.offered": count != 1,
            **dict.fromkeys(DEADLINES, count != 1 or said.source in map(agency, said.to)),
        }
        if wrong.get(said.verb):
            faults.add("wrong-recipients")
        if said.verb not in {*END_AN_OFFER, *DEADLINES}:
            asked = "case.noted" if said.verb in {"case.corrected", *LINKS, *CLOCKS} else said.verb
            faults |= self.town.policy(said.source, asked, said.to)
        if not faults and said.verb in ("case.closed", "case.voided") and case.still_open():
            return {"open-handoffs"}
        return faults

    def of_handoff(self, said: Event, case: Case) -> Ruling:
        handoff = case.handoffs.get(said.about or ("", ""))
        if not handoff:
            return Ruling({"not-found"})
        mine = self.parts_in(said.source, handoff, case)
        if not mine:
            return Ruling({"not-found"})
        if said.verb in RECEIPTS["none"]:
            return Ruling(self.receipt(said, handoff, mine), handoff)
        if not ever(said.verb, mine, HANDOFFS):
            return Ruling({"wrong-party"}, handoff)
        if said.answers != handoff.head:
            return Ruling({"stale-head"}, handoff)
        may = {*HANDOFFS[handoff.state], *TALK, *(MOVED if handoff.state in OPEN else ())}
        part = next((part for part in mine if f"{said.verb} by {part}" in may), None)
        held = handoff.receipt != "none" or handoff.state not in PERHAPS_NEVER_GOT
        no_duty = said.verb == "handoff.forwarded" and not handoff.duty
        if part is None or no_duty or (said.verb == "handoff.recalled" and (handoff.recalled or not held)):
            return Ruling({"illegal-transition"}, handoff)
        if said.verb == "handoff.moved":
            faults = set() if self.side_moved(said, handoff) else {"wrong-recipients"}
            return Ruling(self.addressing(said) | faults, handoff)
        if said.verb == "handoff.forwarded":
            # It opens a hand-off for the next one.
            faults = {"illegal-transition"} if case.state in ENDED else self.forwarding(said, case, handoff)
            return Ruling(faults, handoff)
        sides = {"recipient": {handoff.sender}, "sender": {handoff.held_by}}
        must = sides.get(part, {handoff.sender, handoff.held_by})
        team = {case.handoffs[handoff.opening[0], other].held_by for other in handoff.team}
        return Ruling(self.goes_to(said, must, team if part == "recipient" else set()), handoff)

    def side_moved(self, said: Event, handoff: Handoff) -> str:
        """Section 9, moving: which side goes to the successor that is named last; nothing, if that cannot be."""
        heir = said.to[-1] if said.to else ""
        sides = {"recipient": (handoff.held_by, handoff.sender), "sender": (handoff.sender, handoff.held_by)}
        for side, (stands, other) in sides.items():
            left = agency(stands)
            may = said.source == self.voice(left) and agency(heir) in self.town.all_heirs(left)
            right = set(said.to) == self.meant_for(said, {other}) | {heir} and self.meant_for(said, {heir}) == {heir}
            if may and right:
                return side if side == "recipient" or heir == agency(heir) else ""
        return ""

    def receipt(self, said: Event, handoff: Handoff, mine: list[str]) -> set[str]:
        if "recipient" not in mine:
            return {"wrong-party"}
        if said.answers != handoff.opening:
            return {"stale-head"}
        if said.verb not in RECEIPTS[handoff.receipt]:
            return {"illegal-transition"}
        return self.goes_to(said, {handoff.sender}, set())

    def meant_for(self, said: Event, addresses: set[str]) -> set[str]:
        """Where what is meant for these goes: who has ended is answered at its successor's, and nobody at its own."""
        found = {self.town.reached(address, self.now) for address in addresses}
        return {address for address in found if address and agency(address) != said.source}

    def goes_to(self, said: Event, must: set[str], might: set[str]) -> set[str]:
        right = self.meant_for(said, must) <= set(said.to) <= self.meant_for(said, must | might)
        return self.addressing(said) | (set() if right else {"wrong-recipients"})

    def forwarding(self, said: Event, case: Case, handoff: Handoff) -> set[str]:
        faults, following = self.addressing(said), said.to[-1:]
        if not said.to or sorted(said.to[:-1]) != sorted(self.meant_for(said, {handoff.sender})):
            faults.add("wrong-recipients")
        if said.id in {opening for opening, _ in case.handoffs}:
            faults.add("id-reused")
        return faults.union(*(self.town.policy(said.source, "handoff.assigned", [one]) for one in following))

    def happens(self, said: Event) -> None:
        """Let an accepted event take effect."""
        ref = said.id, said.hash
        if said.verb == "case.opened":
            self.cases[said.case] = Case(owner=said.source, head=ref, exercise=said.exercise)
        case, left = self.cases[said.case], ""
        handoff = case.handoffs.get(said.about or ("", ""))
        if said.verb in OPENING:
            rule = self.town.known_to_each_other(said.to)
            for recipient in said.to:
                team = frozenset(said.to) - {recipient} if rule and rule[1] else frozenset[str]()
                begin(case, said, recipient, OPENING[said.verb]).team = team
        elif handoff:
            left = self.move(said, handoff) if said.verb == "handoff.moved" else ""
            happens_to_handoff(case, handoff, said, self.parts_in(said.source, handoff, case))
        elif said.verb != "case.opened":
            happens_to_case(case, said)
        case.events += 1
        case.copies.update(said.to)
        case.parties |= {said.source} - {WATCHER} | {*map(agency, said.to)}
        if left and not case.stands_in(left):
            case.parties.discard(left)

    def move(self, said: Event, handoff: Handoff) -> str:
        """Let a side go to a successor; return who stood there."""
        if self.side_moved(said, handoff) == "recipient":
            left, handoff.holder = agency(handoff.held_by), said.to[-1]
        else:
            left, handoff.sender = handoff.sender, said.to[-1]
        return left

    def put_away(self) -> None:
        """Section 12, a closed case: few at a decision, the longest untouched first, those of one moment together."""
        due = sorted((at, key) for key, at in self.touched.items() if at <= self.now - KEEP_CLOSED)
        due = [(at, key) for at, key in due if key[1] or self.over(self.cases[key[0]])]
        for number, (at, key) in enumerate(due):
            if number >= PUT_AWAY and at != due[number - 1][0]:
                break
            del self.touched[key]
            if not key[1]:
                self.cases[key[0]].archive()

    def over(self, case: Case) -> bool:
        return case.state in ENDED and not case.still_open()


def ever(verb: str, parts: Iterable[str], table: dict[str, dict[str, str]]) -> bool:
    """Whether one of these parts may say the verb in some state."""
    said = {step for steps in table.values() for step in steps} | TALK | MOVED
    return any(f"{verb} by {part}" in said for part in parts)


def pseudonym(bus: str, source: str, event_id: str) -> str:
    """Section 4."""
    parts = [text.encode() for text in ("referral-bus/v1/case", bus, source, event_id)]
    return sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).hexdigest()[:32]
