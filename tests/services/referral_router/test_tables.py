"""
Both lifecycle tables, walked with every party and every verb, legal or not, beside a second and naive reading of them.

`naive` is written from the prose. Where the router and it differ, one of them does not do what SPEC says.
"""

from dataclasses import replace

import pytest

from referral_contracts.codes import Code
from referral_contracts.lifecycle import CaseState, Receipt, State
from referral_contracts.verbs import Verb
from tests.services.referral_router.founding import (
    CLINIC,
    HOSPITAL,
    HOTLINE,
    LEGAL_AID,
    NEXT_WARD,
    POLICE,
    SCHOOL,
    WARD,
    WATCHER,
    YOUTH_POLICE,
)
from tests.services.referral_router.naive.pair import Pair, Saying
from tests.services.referral_router.naive.sayings import of_case, of_handoff
from tests.services.referral_router.naive.tables import CASES, HANDOFFS, RECEIPTS, VERBS
from tests.services.referral_router.naive.town import Key, agency

ROUTES = {
    "offered": "offered",
    "assigned": "assigned",
    "notified": "notified",
    "received": "notified received",
    "accepted": "offered accepted",
    "suspended": "offered accepted suspended",
    "declined": "offered declined",
    "expired": "offered expired",
    "withdrawn": "offered withdrawn",
    "forwarded": "assigned forwarded",
    "released": "assigned forwarded received-by-the-next",
    "completed": "offered accepted completed",
    "failed": "offered accepted failed",
    "returned": "offered accepted returned",
    "stopped": "offered accepted cancelled",
    "closed": "offered accepted completed closed",
    "voided": "offered voided",
    "recalled": "offered recalled",
    "misdirected": "offered misdirected",
}
"""How a hand-off comes into each state."""


def test_the_second_reading_has_the_same_words() -> None:
    assert set(VERBS) == {verb.value for verb in Verb}
    assert set(CASES) == {state.value for state in CaseState}
    assert set(ROUTES) == set(HANDOFFS) == {state.value for state in State}
    assert set(RECEIPTS) == {receipt.value for receipt in Receipt}


TWO = 2


class Cast:
    """Who plays which part in one hand-off, beside a co-recipient, somebody who was the owner once, and others."""

    def __init__(self, owner: str, sender: str, recipient: str) -> None:
        self.owner, self.sender, self.recipient = owner, sender, recipient

    def everybody(self) -> list[str]:
        mine = {self.owner, self.sender, agency(self.recipient)}
        # What the others are told does not hang on who plays two parts.
        return sorted(mine | {HOTLINE, HOSPITAL, SCHOOL, CLINIC, WATCHER} if len(mine) > TWO else mine)


CASTS = {
    "four agencies": Cast(WARD, NEXT_WARD, YOUTH_POLICE),
    "the owner asks": Cast(WARD, WARD, YOUTH_POLICE),
    "the owner is asked": Cast(POLICE, NEXT_WARD, YOUTH_POLICE),
}


def staged(cast: Cast) -> tuple[Pair, str]:
    """Return a case that the hotline has handed over, in which the cast and the school are parties."""
    pair = Pair()
    pair.say(Saying(source=HOTLINE, verb="case.opened"))
    subject = pair.spoken[0].event.case
    pair.say(of_case(pair.naive, subject, HOTLINE, "case.transfer.offered", cast.owner))
    pair.say(of_case(pair.naive, subject, cast.owner, "case.transfer.accepted", cast.owner))
    for party in sorted({cast.sender, SCHOOL} - {cast.owner}):
        pair.say(of_case(pair.naive, subject, cast.owner, "case.noted", party))
    return pair, subject


def walked(cast: Cast, route: str) -> tuple[Pair, str, Key]:
    """Return a hand-off that has gone this way."""
    pair, subject = staged(cast)
    opening, *steps = route.split()
    # With a co-recipient, where policy lets answers go to the team.
    pair.say(Saying(source=cast.sender, verb=f"handoff.{opening}", to=(cast.recipient, HOSPITAL), case=subject))
    key = (pair.spoken[-1].event.id, cast.recipient)
    speakers = dict.fromkeys(("withdrawn", "cancelled", "closed", "voided", "recalled"), cast.sender)
    speakers["expired"] = WATCHER
    for step in steps:
        if step == "received-by-the-next":
            following = (pair.spoken[-1].event.id, SCHOOL)
            pair.say(of_handoff(pair.naive, subject, following, SCHOOL, "handoff.received", SCHOOL))
        else:
            speaker = speakers.get(step, agency(cast.recipient))
            pair.say(of_handoff(pair.naive, subject, key, speaker, f"handoff.{step}", SCHOOL))
    return pair, subject, key


def try_out_all(pair: Pair, sayings: list[Saying]) -> list[Saying]:
    """Try each from the same point; return those that are accepted."""
    return [saying for saying in sayings if pair.try_out(pair.sign(saying)).verdict.code is Code.ACCEPTED]


@pytest.mark.parametrize("cast", CASTS.values(), ids=list(CASTS))
@pytest.mark.parametrize("state", ROUTES)
def test_everybody_says_everything_of_a_handoff_in_each_state(state: str, cast: Cast) -> None:
    pair, subject, key = walked(cast, ROUTES[state])
    case = pair.naive.cases[subject]
    assert case.handoffs[key].state == state

    verbs = [verb for verb, kind in VERBS.items() if kind.handoff]
    sayings = [
        of_handoff(pair.naive, subject, key, source, verb, CLINIC) for verb in verbs for source in cast.everybody()
    ]
    sayings += [of_case(pair.naive, subject, cast.owner, verb, CLINIC) for verb in ("case.closed", "case.voided")]
    follows = case.handoffs[key].head
    sayings += [
        Saying(source=source, verb="handoff.offered", to=(LEGAL_AID,), case=subject, follows=follows)
        for source in cast.everybody()
    ]
    accepted = try_out_all(pair, sayings)
    stale = [replace(saying, answers=case.head) for saying in accepted if saying.about]
    assert try_out_all(pair, stale) == []
    for saying in accepted:
        pair.fork().say(saying)


ENDINGS = [
    "received",
    "accepted",
    "received withdrawn",
    "received accepted",
    "received accepted completed closed",
    "received accepted completed closed recalled",
    "received accepted returned",
    "received forwarded",
    "unreadable",
]
"""How far the next hand-off of a duty that was passed on has come."""
AGAIN = ["received", "received withdrawn", "accepted"]
"""The same where it was passed on to somebody else before."""


ON_ITS_WAY = ["assigned accepted", "assigned accepted suspended", "assigned accepted forwarded"]


@pytest.mark.parametrize("route", ON_ITS_WAY)
def test_everybody_says_everything_of_an_accepted_duty(route: str) -> None:
    cast = CASTS["four agencies"]

    pair, subject, key = walked(cast, route)
    verbs = [verb for verb, kind in VERBS.items() if kind.handoff]
    sayings = [
        of_handoff(pair.naive, subject, key, source, verb, CLINIC) for verb in verbs for source in cast.everybody()
    ]
    accepted = try_out_all(pair, sayings)
    assert "handoff.forwarded" in {saying.verb for saying in accepted}
    for saying in accepted:
        pair.fork().say(saying)


@pytest.mark.parametrize(("route", "again"), [*((route, False) for route in ENDINGS), *((one, True) for one in AGAIN)])
def test_a_duty_is_passed_on_and_comes_back(route: str, *, again: bool) -> None:
    cast = CASTS["four agencies"]

    pair, subject, _ = walked(cast, "assigned forwarded forwarded" if again else "assigned forwarded")
    case, following = pair.naive.cases[subject], (pair.spoken[-1].event.id, SCHOOL)
    for step in route.split():
        speaker = POLICE if step in {"withdrawn", "closed", "recalled"} else SCHOOL
        pair.say(of_handoff(pair.naive, subject, following, speaker, f"handoff.{step}", CLINIC))
    verbs = [verb for verb, kind in VERBS.items() if kind.handoff]
    sayings = [
        of_handoff(pair.naive, subject, one, source, verb, CLINIC)
        for one in case.handoffs
        if one[1] != HOSPITAL
        for verb in verbs
        for source in (POLICE, SCHOOL, cast.owner)
    ]
    for saying in try_out_all(pair, sayings):
        pair.fork().say(saying)


TO_CASES = {"open": "", "transfer-offered": "case.transfer.offered", "closed": "case.closed", "voided": "case.voided"}


@pytest.mark.parametrize("state", TO_CASES)
def test_everybody_says_everything_of_a_case_in_each_state(state: str) -> None:
    cast = CASTS["four agencies"]

    pair, subject = staged(cast)
    case = pair.naive.cases[subject]
    if TO_CASES[state]:
        pair.say(of_case(pair.naive, subject, cast.owner, TO_CASES[state], NEXT_WARD))
    assert case.state == state
    verbs = [verb for verb, kind in VERBS.items() if not kind.handoff]
    sayings = [
        of_case(pair.naive, subject, source, verb, other)
        for verb in verbs
        for source in cast.everybody()
        for other in (CLINIC, HOTLINE)
    ]
    accepted = try_out_all(pair, sayings)
    first = pair.spoken[0].said
    assert try_out_all(pair, [replace(one, answers=(first.id, first.hash)) for one in accepted if one.answers]) == []
    for saying in accepted:
        pair.fork().say(saying)
