"""What somebody would say who knows the tables: with the right reference, to the right recipients."""

from tests.services.referral_router.naive.bus import NaiveBus
from tests.services.referral_router.naive.case import Case, Handoff
from tests.services.referral_router.naive.pair import Saying
from tests.services.referral_router.naive.tables import (
    CASES,
    HANDOFFS,
    MOVED,
    OPEN,
    RECEIPTS,
    TALK,
    VERBS,
    WATCHER,
)
from tests.services.referral_router.naive.town import Key, agency


def of_case(bus: NaiveBus, subject: str, source: str, verb: str, other: str) -> Saying:
    """Say *verb* of a case; *other* is who it is told, where the verb leaves that open."""
    case = bus.cases[subject]
    to: tuple[str, ...] = () if verb in ("case.opened", "case.closed", "case.reopened", "case.voided") else (other,)
    if verb in ("case.transfer.accepted", "case.transfer.declined"):
        to = _reached(bus, source, case.owner)
    elif verb == "case.transfer.withdrawn":
        to = _reached(bus, source, case.pending)
    answers = case.head if VERBS[verb].answers else None
    wrong = case.head if VERBS[verb].corrects else None
    return Saying(source=source, verb=verb, to=to, case=subject, answers=answers, supersedes=wrong)


def of_handoff(bus: NaiveBus, subject: str, key: Key, source: str, verb: str, other: str) -> Saying:
    """Say *verb* of a hand-off; *other* is who it is forwarded, or moved, to."""
    case = bus.cases[subject]
    handoff = case.handoffs[key]
    to = _told(bus, case, handoff, source, verb)
    if verb == "handoff.forwarded":
        to = (*_reached(bus, source, handoff.sender), other)
    elif verb == "handoff.moved":
        to = (*(one for one in to if one != other), other)
    answers = handoff.opening if VERBS[verb].answers == "opening" else handoff.head
    wrong = handoff.opening if VERBS[verb].corrects else None
    return Saying(source=source, verb=verb, to=to, case=subject, about=key, answers=answers, supersedes=wrong)


def _reached(bus: NaiveBus, source: str, *addresses: str) -> tuple[str, ...]:
    """Return where what the source says to these goes."""
    found = dict.fromkeys(bus.town.reached(address, bus.now) for address in addresses)
    return tuple(one for one in found if one and agency(one) != source)


def _told(bus: NaiveBus, case: Case, handoff: Handoff, source: str, verb: str) -> tuple[str, ...]:
    if verb in RECEIPTS["none"]:
        return _reached(bus, source, handoff.sender)
    both = (handoff.sender, handoff.held_by)
    may = {*HANDOFFS[handoff.state], *TALK, *MOVED}
    part = next((part for part in bus.parts_in(source, handoff, case) if f"{verb} by {part}" in may), "")
    sides = {"recipient": both[:1], "sender": both[1:]}
    return _reached(bus, source, *sides.get(part, both))


def moves_of_case(bus: NaiveBus, subject: str, other: str) -> list[Saying]:
    """Return what may be said of the case by the tables."""
    case = bus.cases[subject]
    speakers = {"party": sorted(case.parties | {case.owner}), "owner": [case.owner], "pending": [case.pending]}
    speakers["watcher"] = [WATCHER]
    return [
        of_case(bus, subject, bus.voice(source) or source, verb, other)
        for verb, part in (step.split(" by ") for step in CASES[case.state])
        for source in speakers[part]
    ]


def moves_of_handoff(bus: NaiveBus, subject: str, key: Key, other: str) -> list[Saying]:
    """Return what may be said of a hand-off by the tables, talk left out."""
    handoff = bus.cases[subject].handoffs[key]
    receipts = [f"{verb} by recipient" for verb in RECEIPTS[handoff.receipt]]
    moves = _said(bus, subject, key, [*HANDOFFS[handoff.state], *receipts], other)
    return moves + (handings_over(bus, subject, key) if handoff.state in OPEN else [])


def handings_over(bus: NaiveBus, subject: str, key: Key) -> list[Saying]:
    """Return what moves a side of a hand-off to a successor."""
    handoff = bus.cases[subject].handoffs[key]
    sides = {"recipient": agency(handoff.held_by), "sender": handoff.sender}
    return [
        saying
        for side, stands in sides.items()
        for heir in sorted(bus.town.addresses)
        if agency(heir) in bus.town.all_heirs(stands)
        for saying in _said(bus, subject, key, [f"handoff.moved by {side}"], heir)
    ]


def talk(bus: NaiveBus, subject: str, key: Key) -> list[Saying]:
    return _said(bus, subject, key, sorted(TALK), "")


def _said(bus: NaiveBus, subject: str, key: Key, steps: list[str], other: str) -> list[Saying]:
    case = bus.cases[subject]
    handoff = case.handoffs[key]
    agencies = {
        "recipient": agency(handoff.held_by),
        "sender": handoff.sender,
        "owner": case.owner,
        "watcher": WATCHER,
    }
    return [
        of_handoff(bus, subject, key, bus.voice(agencies[part]) or agencies[part], verb, other)
        for verb, part in (step.split(" by ") for step in steps)
    ]
