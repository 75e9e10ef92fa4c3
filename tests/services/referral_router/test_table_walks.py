"""
Anybody says anything in any order, and the router and the naive reading of its tables (`naive`) make the same of it.

Most of what is said is what the tables allow next, or that with one thing changed: so a walk gets far, and what is
wrong is wrong in one way.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from referral_contracts.encoding import b64
from tests.services.referral_router.founding import (
    BUS,
    CLINIC,
    DAY,
    HOSPITAL,
    HOTLINE,
    HOUR,
    LEGAL_AID,
    NEXT_WARD,
    NO_INBOX,
    OFF_BUS,
    POLICE,
    SCHOOL,
    WARD,
    WATCHER,
    YOUTH_POLICE,
)
from tests.services.referral_router.naive.bus import pseudonym
from tests.services.referral_router.naive.case import Case
from tests.services.referral_router.naive.pair import Outcome, Pair, Saying
from tests.services.referral_router.naive.sayings import (
    handings_over,
    moves_of_case,
    moves_of_handoff,
    of_case,
    of_handoff,
    talk,
)
from tests.services.referral_router.naive.tables import ENDED, FOLLOWED, OPENING, VERBS
from tests.services.referral_router.naive.town import Key, Ref, agency
from tests.services.referral_router.world import new_id

AGENCIES = [HOTLINE, WARD, NEXT_WARD, POLICE, HOSPITAL, LEGAL_AID, SCHOOL, CLINIC, WATCHER]
ADDRESSES = [*AGENCIES, YOUTH_POLICE]
NOWHERE = [OFF_BUS, NO_INBOX, "ward-a/youth", "nobody-z"]
TEAMS = [
    (POLICE, HOSPITAL),
    (YOUTH_POLICE, HOSPITAL),
    (WARD, POLICE, LEGAL_AID),
    (WARD, SCHOOL),
    (POLICE, YOUTH_POLICE),
]
WAITS = [1, 1, HOUR, HOUR, 2 * HOUR + 1, 6 * HOUR + 1, DAY]
MEMORY = [0, HOUR, 2 * HOUR + 1, 4 * HOUR, 6 * HOUR - 1, 6 * HOUR, 6 * HOUR + 1]
"""Some of what lies within, and beyond, the three windows in which an id is remembered."""

ASKING = [HOTLINE, WARD, NEXT_WARD, POLICE]
"""Who may ask others for something."""
ENDING = [WARD, NEXT_WARD, POLICE, HOSPITAL, SCHOOL]
"""Who may merge into others, or be split, while cases are open."""
ENDED_AT_MOST = 3
MANY = 6
"""Hand-offs that can be moved, in one case: no more are opened."""
ENDS = {"handoff.cancelled", "handoff.closed"}
DUTIFUL = [(POLICE,), (NEXT_WARD,), (YOUTH_POLICE,)]
LEADING_ON = {
    "handoff.accepted": 4,
    "handoff.forwarded": 8,
    "handoff.received": 2,
    "handoff.suspended": 2,
    "handoff.resumed": 3,
    "handoff.completed": 4,
    "handoff.reopened": 2,
}

T = TypeVar("T")

agencies = st.sampled_from(AGENCIES)
addresses = st.sampled_from(ADDRESSES)
recipients = (
    addresses.map(lambda one: (one,))
    | st.sampled_from(TEAMS)
    | st.lists(st.sampled_from([*ADDRESSES, *NOWHERE]), max_size=3).map(tuple)
)


def without_ids(outcome: Outcome) -> tuple[object, ...]:
    """Return what a verdict says and how long it is, without whose and of what it is."""
    told: dict[str, object] = json.loads(outcome.told)
    own = ("id", "subject", "event", "decision")
    return {name: text for name, text in told.items() if name not in own}, len(outcome.told), outcome.copies


def pick(data: st.DataObject, options: Sequence[T]) -> T:
    """Draw one of them by its number: a counter-example is told by what was said, not by all that might have been."""
    return options[data.draw(st.integers(0, len(options) - 1))]


def onward(moves: list[Saying]) -> list[Saying]:
    """Return them with what leads on more than once: most ways of a hand-off end it."""
    return [move for move in moves for _ in range(LEADING_ON.get(move.verb, 1))]


class TwoBuses(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.pair = Pair()

    @initialize(owner=st.sampled_from([HOTLINE, WARD]), exercise=st.booleans())
    def a_case_is_opened(self, owner: str, *, exercise: bool) -> None:
        self.pair.say(Saying(source=owner, verb="case.opened", exercise=exercise))

    def subject(self, data: st.DataObject) -> str:
        """Draw a case: mostly one that is not archived, if need be a new one."""
        cases = self.pair.naive.cases
        if all(case.archived for case in cases.values()):
            self.pair.say(Saying(source=HOTLINE, verb="case.opened"))
        live = [subject for subject, case in cases.items() if not case.archived]
        return pick(data, live * 6 + [subject for subject in cases if subject not in live])

    def next_step(self, data: st.DataObject) -> Saying:
        """Draw something that the tables allow, most of all of hand-offs that can still be moved."""
        subject, other = self.subject(data), data.draw(addresses)
        case = self.pair.naive.cases[subject]
        ways = [lambda: moves_of_case(self.pair.naive, subject, other)]
        if moves := [
            found for key in case.handoffs if (found := moves_of_handoff(self.pair.naive, subject, key, other))
        ]:
            ways += [lambda: onward(pick(data, moves))] * 6
        if case.handoffs:
            ways.append(lambda: talk(self.pair.naive, subject, pick(data, list(case.handoffs))))
        if case.state not in ENDED and len(moves) < MANY:
            ways += [lambda: [self.opening(data, case, subject)]] * 2
        return pick(data, pick(data, ways)())

    def opening(self, data: st.DataObject, case: Case, subject: str) -> Saying:
        """Draw what opens hand-offs: mostly by somebody who may, and to whom it may go."""
        source = pick(data, [one for one in ASKING if one in case.parties] or sorted(case.parties | {case.owner}))
        source = self.pair.naive.voice(source) or source
        to = pick(data, [*((one,) for one in ADDRESSES), *TEAMS[:3]])
        to = tuple(one for one in to if agency(one) != source)
        heads = [one.head for one in case.handoffs.values() if one.state in FOLLOWED]
        follows = pick(data, [None, *heads, *([self.an_event(data)] if self.pair.spoken else [])])
        return Saying(source=source, verb=pick(data, sorted(OPENING)), to=to, case=subject, follows=follows)

    @rule(data=st.data(), steps=st.integers(1, 12))
    def they_do_what_the_tables_allow(self, data: st.DataObject, steps: int) -> None:
        for _ in range(steps):
            self.pair.say(self.next_step(data))

    @rule(data=st.data(), steps=st.integers(2, 4))
    def they_speak_at_the_same_moment(self, data: st.DataObject, steps: int) -> None:
        # Each answers the head that it knows: only the first of those that move it can have it.
        self.pair.say(*(self.next_step(data) for _ in range(steps)))

    @rule(data=st.data(), changes=st.integers(1, 2))
    def somebody_gets_it_wrong(self, data: st.DataObject, changes: int) -> None:
        saying = self.next_step(data)
        for _ in range(changes):
            saying = pick(data, CHANGES)(self, data, saying)
        self.pair.say(saying)

    @rule(data=st.data(), source=agencies, verb=st.sampled_from(sorted(VERBS)), to=recipients)
    def somebody_says_anything(self, data: st.DataObject, source: str, verb: str, to: tuple[str, ...]) -> None:
        saying = Saying(source=source, verb=verb, to=to, case=self.subject(data))
        if VERBS[verb].handoff:
            saying = replace(saying, about=self.a_handoff(data))
        if VERBS[verb].answers:
            saying = replace(saying, answers=self.an_event(data))
        if VERBS[verb].corrects:
            saying = replace(saying, supersedes=self.an_event(data))
        self.pair.say(saying)

    @rule(source=agencies, exercise=st.booleans())
    def somebody_opens_a_case(self, source: str, *, exercise: bool) -> None:
        self.pair.say(Saying(source=source, verb="case.opened", exercise=exercise))

    @rule(data=st.data())
    def an_event_comes_again(self, data: st.DataObject) -> None:
        self.pair.hear(pick(data, self.pair.spoken))

    @rule(data=st.data(), source=agencies, verb=st.sampled_from(sorted(VERBS)), other=addresses)
    def somebody_probes(self, data: st.DataObject, source: str, verb: str, other: str) -> None:
        """What is none of the sender's, and what does not exist, are answered in the same bytes but for the ids."""
        subject, about = self.subject(data), self.a_handoff(data)
        case = self.pair.naive.cases[subject]
        handoff = case.handoffs.get(about)
        naive = self.pair.naive
        inside = naive.is_party(source, case) and not case.archived
        mine = handoff is not None and naive.parts_in(source, handoff, case)
        if (inside and (mine or not VERBS[verb].handoff)) or source in {WATCHER, naive.voice(case.owner)}:
            return
        to = tuple(one for one in (other,) if agency(one) != source)
        there = Saying(source=source, verb=verb, to=to, case=subject)
        if VERBS[verb].handoff:
            there = replace(there, about=about)
        if VERBS[verb].answers:
            there = replace(there, answers=handoff.head if handoff else case.head)
        if VERBS[verb].corrects:
            there = replace(there, supersedes=case.head)
        absent = replace(there, case=there.case if inside else pseudonym(BUS, source, self.absent()[0]))
        absent = replace(absent, about=there.about and self.absent(), answers=there.answers and self.an_event(data))
        outcomes = [self.pair.try_out(self.pair.sign(saying)) for saying in (there, absent)]

        assert without_ids(outcomes[0]) == without_ids(outcomes[1])

    @rule(data=st.data(), wait=st.sampled_from([0, HOUR, DAY]))
    def a_case_is_cleared_up_and_left(self, data: st.DataObject, wait: int) -> None:
        subject = self.subject(data)
        case = self.pair.naive.cases[subject]
        owner = self.pair.naive.voice(case.owner) or case.owner
        for key in sorted(case.still_open()):
            moves = moves_of_handoff(self.pair.naive, subject, key, CLINIC)
            if ends := [move for move in moves if move.source == owner and move.verb in ENDS]:
                self.pair.say(pick(data, ends))
        self.pair.say(of_case(self.pair.naive, subject, owner, "case.closed", CLINIC))
        self.pair.wait(wait)

    @rule(answered=st.booleans(), wait=st.sampled_from([HOUR, DAY]))
    def something_is_asked_back_after_the_end(self, wait: int, *, answered: bool) -> None:
        """A closed case is put away when nobody is to answer a recall in it any more, and no sooner."""
        pair = self.pair
        if pair.naive.town.ended(SCHOOL, pair.naive.now):
            return
        pair.say(Saying(source=HOTLINE, verb="case.opened"))
        subject = pair.spoken[-1].event.case
        case = pair.naive.cases[subject]
        pair.say(Saying(source=HOTLINE, verb="handoff.notified", to=(SCHOOL,), case=subject))
        (key,) = case.handoffs
        pair.say(of_handoff(self.pair.naive, subject, key, SCHOOL, "handoff.received", SCHOOL))
        pair.say(of_case(self.pair.naive, subject, HOTLINE, "case.closed", SCHOOL))
        pair.say(of_handoff(self.pair.naive, subject, key, HOTLINE, "handoff.recalled", SCHOOL))
        if answered:
            pair.say(of_handoff(self.pair.naive, subject, key, SCHOOL, "handoff.misdirected", SCHOOL))
        pair.wait(wait)
        # What is due is put away at a decision.
        pair.say(Saying(source=HOTLINE, verb="case.opened"))

    @rule(data=st.data(), wait=st.sampled_from(MEMORY), verb=st.sampled_from(["case.noted", "case.linked"]))
    def an_id_is_used_again_later(self, data: st.DataObject, wait: int, verb: str) -> None:
        """An id is remembered for three windows, and a moment later it is not."""
        used = pick(data, self.pair.spoken).event
        self.pair.wait(wait)
        self.pair.say(Saying(source=used.source, verb=verb, to=(CLINIC,), case=used.case, id=used.id))

    @rule(data=st.data(), steps=st.integers(1, 10))
    def a_duty_is_passed_on(self, data: st.DataObject, steps: int) -> None:
        subject = self.subject(data)
        case = self.pair.naive.cases[subject]
        first = replace(self.opening(data, case, subject), verb="handoff.assigned", to=pick(data, DUTIFUL))
        self.pair.say(first)
        opening = self.pair.spoken[-1].event.id
        for _ in range(steps):
            chain = [key for key in case.handoffs if key[0] >= opening]
            moves = [
                found
                for key in chain
                if (found := moves_of_handoff(self.pair.naive, subject, key, data.draw(addresses)))
            ]
            if moves:
                self.pair.say(pick(data, onward(pick(data, moves))))

    @rule(data=st.data(), ends_in=st.sampled_from([0, HOUR, DAY]), steps=st.integers(1, 8))
    def an_agency_merges_into_another(self, data: st.DataObject, ends_in: int, steps: int) -> None:
        self.agencies_change(data, ends_in, data.draw(st.integers(0, 1)))
        self.what_it_has_goes_over(data, steps)

    @rule(data=st.data(), ends_in=st.sampled_from([0, HOUR, DAY]), steps=st.integers(1, 8))
    def an_agency_is_split(self, data: st.DataObject, ends_in: int, steps: int) -> None:
        self.agencies_change(data, ends_in, data.draw(st.integers(2, 3)))
        self.what_it_has_goes_over(data, steps)

    def agencies_change(self, data: st.DataObject, ends_in: int, successors: int) -> None:
        """End an agency, mostly one that somebody waits for."""
        pair, subject = self.pair, self.subject(data)
        case = pair.naive.cases[subject]
        if not case.still_open() and case.state not in ENDED:
            pair.say(self.opening(data, case, subject))
        left = [one for one in ENDING if one not in pair.naive.town.ends]
        if len(left) <= len(ENDING) - ENDED_AT_MOST:
            return
        ending = pick(data, [one for one in left if case.stands_in(one)] or left)
        others = data.draw(st.permutations([one for one in AGENCIES if one not in {ending, WATCHER}]))
        pair.end(ending, pair.naive.now + ends_in, *others[:successors])

    @precondition(lambda self: bool(self.pair.naive.town.ends))
    @rule(data=st.data(), steps=st.integers(1, 8))
    def what_it_has_goes_over(self, data: st.DataObject, steps: int) -> None:
        """What an agency has is moved to its successors, before it ends or afterwards, or left to the first of them."""
        for _ in range(steps):
            naive, subject = self.pair.naive, self.subject(data)
            keys = sorted(naive.cases[subject].still_open())
            moves = [move for key in keys for move in handings_over(naive, subject, key)]
            self.pair.say(pick(data, [*moves, self.next_step(data)]))

    @rule(wait=st.sampled_from(WAITS))
    def time_passes(self, wait: int) -> None:
        self.pair.wait(wait)

    def a_handoff(self, data: st.DataObject) -> Key:
        keys = [key for case in self.pair.naive.cases.values() for key in case.handoffs]
        return pick(data, [*keys, self.absent()])

    def an_event(self, data: st.DataObject) -> Ref:
        said = pick(data, [None, *self.pair.spoken])
        return (self.absent()[0], b64(bytes(32))) if said is None else (said.event.id, said.event.hash)

    def absent(self) -> Key:
        return new_id(self.pair.world.now, self.pair.world.numbers), POLICE

    def another_source(self, data: st.DataObject, saying: Saying) -> Saying:
        return replace(saying, source=data.draw(agencies))

    def another_verb(self, data: st.DataObject, saying: Saying) -> Saying:
        return replace(saying, verb=data.draw(st.sampled_from(sorted(VERBS))))

    def another_verb_of_its_kind(self, data: st.DataObject, saying: Saying) -> Saying:
        alike = [verb for verb, kind in VERBS.items() if kind[:2] == VERBS[saying.verb][:2]]
        return replace(saying, verb=pick(data, alike))

    def other_recipients(self, data: st.DataObject, saying: Saying) -> Saying:
        return replace(saying, to=data.draw(recipients))

    def one_recipient_more(self, data: st.DataObject, saying: Saying) -> Saying:
        return replace(saying, to=(*saying.to, pick(data, [*ADDRESSES, *NOWHERE])))

    def another_answer(self, data: st.DataObject, saying: Saying) -> Saying:
        return replace(saying, answers=self.an_event(data) if data.draw(st.booleans()) else None)

    def another_correction(self, data: st.DataObject, saying: Saying) -> Saying:
        return replace(saying, supersedes=self.an_event(data) if data.draw(st.booleans()) else None)

    def after_another(self, data: st.DataObject, saying: Saying) -> Saying:
        return replace(saying, follows=self.an_event(data))

    def another_handoff(self, data: st.DataObject, saying: Saying) -> Saying:
        return replace(saying, about=self.a_handoff(data) if data.draw(st.booleans()) else None)

    def another_case(self, data: st.DataObject, saying: Saying) -> Saying:
        return replace(saying, case=pick(data, [self.subject(data), "0" * 32]))

    def in_earnest_or_not(self, data: st.DataObject, saying: Saying) -> Saying:
        return replace(saying, exercise=data.draw(st.booleans()))

    def a_used_id(self, data: st.DataObject, saying: Saying) -> Saying:
        return replace(saying, id=pick(data, self.pair.spoken).event.id)

    def nothing_to_read(self, data: st.DataObject, saying: Saying) -> Saying:
        return replace(saying, served=data.draw(st.booleans()), clocked=data.draw(st.booleans()))


CHANGES: list[Callable[[TwoBuses, st.DataObject, Saying], Saying]] = [
    TwoBuses.another_source,
    TwoBuses.another_verb,
    TwoBuses.another_verb_of_its_kind,
    TwoBuses.other_recipients,
    TwoBuses.one_recipient_more,
    TwoBuses.another_answer,
    TwoBuses.another_correction,
    TwoBuses.after_another,
    TwoBuses.another_handoff,
    TwoBuses.another_case,
    TwoBuses.a_used_id,
    TwoBuses.in_earnest_or_not,
    TwoBuses.nothing_to_read,
]


def test_the_router_does_what_the_prose_says() -> None:
    run_state_machine_as_test(TwoBuses, settings=settings(max_examples=80, stateful_step_count=30, deadline=None))


@pytest.mark.long
def test_the_router_does_what_the_prose_says_for_long() -> None:
    run_state_machine_as_test(TwoBuses, settings=settings(max_examples=2000, stateful_step_count=60, deadline=None))
