"""
Whoever has no part in a hand-off, or in a case, is answered as if there were none, whatever verb it tries and when.

Each tries every verb with all that it could know: the case, the hand-off, its head, both its sides. What the router
makes of that is compared with what it makes of the same about something absent, from the same point.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import pytest

from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.records import Write
from referral_contracts.topics import H_KIND, KIND_VERDICT
from tests.services.referral_router.founding import BUS, CLINIC, DAY, HOSPITAL, LEGAL_AID, NEXT_WARD, POLICE, SCHOOL
from tests.services.referral_router.naive.bus import pseudonym
from tests.services.referral_router.naive.pair import Pair, Saying
from tests.services.referral_router.naive.sayings import of_case, of_handoff
from tests.services.referral_router.naive.tables import OPEN, VERBS
from tests.services.referral_router.naive.town import Key
from tests.services.referral_router.test_tables import CASTS, ROUTES, TO_CASES, staged, walked
from tests.services.referral_router.world import new_id

CAST = CASTS["four agencies"]
OWN = ("id", "subject", "event", "decision")
"""What differs between any two verdicts."""


class Seen(NamedTuple):
    """Something that the router wrote: where, how long, and for a verdict what it says."""

    topic: str
    size: int
    told: dict[str, object]


def made_of(pair: Pair, saying: Saying) -> list[Seen]:
    """Return all that the router would make of it, without what differs between any two events."""
    step = pair.world.step([pair.record(pair.sign(saying))])
    return [seen(write) for write in step.writes if write.key != topics.POSITION_KEY]


def seen(write: Write) -> Seen:
    verdict = dict(write.headers).get(H_KIND) == KIND_VERDICT
    told = json.loads(write.value or b"{}") if verdict else {}
    return Seen(write.topic, len(write.value or b""), {name: text for name, text in told.items() if name not in OWN})


def code(made: list[Seen]) -> set[object]:
    return {one.told["code"] for one in made if one.told}


def left_by(pair: Pair, subject: str, party: str, heir: str) -> None:
    """Let the owner ask a party for something, which then hands its side to a successor, and has left."""
    pair.say(Saying(source=CAST.owner, verb="handoff.offered", to=(party,), case=subject))
    key = (pair.spoken[-1].event.id, party)
    pair.end(party, pair.naive.now + 30 * DAY, heir)
    pair.say(of_handoff(pair.naive, subject, key, party, "handoff.moved", heir))
    assert party not in pair.naive.cases[subject].parties


def absent(pair: Pair, source: str, saying: Saying, *, case: bool) -> Saying:
    """Return the same of a hand-off that there is not, or of a *case* that there is not."""
    nothing = new_id(pair.world.now, pair.world.numbers)
    about = saying.about and (nothing, saying.about[1])
    return replace(saying, about=about, case=pseudonym(BUS, source, nothing) if case else saying.case)


def tries(pair: Pair, subject: str, key: Key, source: str) -> Iterator[Saying]:
    """Say everything of a hand-off as somebody would who knows it."""
    for verb, kind in VERBS.items():
        if kind.handoff:
            yield of_handoff(pair.naive, subject, key, source, verb, CLINIC if source != CLINIC else SCHOOL)


@pytest.mark.parametrize("state", ROUTES)
def test_who_has_no_part_in_a_handoff_is_told_nothing_of_it(state: str) -> None:
    pair, subject, key = walked(CAST, ROUTES[state])
    left_by(pair, subject, LEGAL_AID, NEXT_WARD)
    # A co-recipient and a party of another hand-off know the case; a stranger and a past party do not.
    probers = {HOSPITAL: False, SCHOOL: False, CLINIC: True, LEGAL_AID: True}

    for source, outside in probers.items():
        for saying in tries(pair, subject, key, source):
            there = made_of(pair, saying)
            nowhere = made_of(pair, absent(pair, source, saying, case=outside))

            assert there == nowhere, (source, saying.verb)
            assert code(there) == {Code.NOT_FOUND.value}
            assert {one.topic for one in there} == {topics.LEDGER, topics.STATE, topics.inbox(source)}


@pytest.mark.parametrize("state", [state for state in ROUTES if state in OPEN])
def test_who_handed_its_side_over_is_told_nothing_more_of_it(state: str) -> None:
    pair, subject, key = walked(CAST, ROUTES[state])
    pair.end(POLICE, pair.naive.now + 30 * DAY, LEGAL_AID)
    pair.say(of_handoff(pair.naive, subject, key, POLICE, "handoff.moved", LEGAL_AID))
    outside = POLICE not in pair.naive.cases[subject].parties

    for saying in tries(pair, subject, key, POLICE):
        there = made_of(pair, saying)

        assert there == made_of(pair, absent(pair, POLICE, saying, case=outside)), saying.verb
        assert code(there) == {Code.NOT_FOUND.value}


def in_state(state: str) -> tuple[Pair, str]:
    pair, subject = staged(CAST)
    left_by(pair, subject, LEGAL_AID, NEXT_WARD)
    case = pair.naive.cases[subject]
    for key in sorted(case.still_open()):
        pair.say(of_handoff(pair.naive, subject, key, CAST.owner, "handoff.cancelled", NEXT_WARD))
    if verb := {**TO_CASES, "archived": "case.closed"}[state]:
        pair.say(of_case(pair.naive, subject, CAST.owner, verb, NEXT_WARD))
    if state == "archived":
        pair.wait(2 * DAY)
        # What is due is put away at a decision.
        pair.say(Saying(source=CAST.owner, verb="case.opened"))
    assert case.archived == (state == "archived")
    return pair, subject


@pytest.mark.parametrize("state", [*TO_CASES, "archived"])
def test_who_is_no_party_is_told_nothing_of_a_case(state: str) -> None:
    pair, subject = in_state(state)
    outsiders = [CLINIC, LEGAL_AID, *([SCHOOL, NEXT_WARD] if state == "archived" else [])]

    for source in outsiders:
        for verb in (verb for verb, kind in VERBS.items() if not kind.handoff):
            saying = of_case(pair.naive, subject, source, verb, POLICE)
            there = made_of(pair, saying)

            assert there == made_of(pair, absent(pair, source, saying, case=True)), (source, verb)
            assert code(there) <= {Code.NOT_FOUND.value, Code.WRONG_SUBJECT.value}


@pytest.mark.parametrize("verb", ["case.transfer.offered", "case.transfer.accepted", "case.closed", "case.reopened"])
def test_a_party_is_told_the_same_of_the_owners_business_whatever_the_state(verb: str) -> None:
    told = []
    for state in TO_CASES:
        pair, subject = in_state(state)
        made = made_of(pair, of_case(pair.naive, subject, SCHOOL, verb, POLICE))
        (verdict,) = [one.told for one in made if one.told]
        told.append((verdict["code"], sorted(verdict)))

    assert told == [(Code.WRONG_PARTY.value, told[0][1])] * len(TO_CASES)
