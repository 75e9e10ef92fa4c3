"""What somebody would say who knows the tables: with the right reference, to the right recipients."""

from tests.services.referral_router.naive.case import Case, Handoff, parts_in
from tests.services.referral_router.naive.pair import Saying
from tests.services.referral_router.naive.tables import CASES, HANDOFFS, RECEIPTS, TALK, VERBS, WATCHER
from tests.services.referral_router.naive.town import Key, agency


def of_case(case: Case, subject: str, source: str, verb: str, other: str) -> Saying:
    """Say *verb* of a case; *other* is who it is told, where the verb leaves that open."""
    to: tuple[str, ...] = () if verb in ("case.opened", "case.closed", "case.reopened", "case.voided") else (other,)
    if verb in ("case.transfer.accepted", "case.transfer.declined"):
        to = (case.owner,)
    answers = case.head if VERBS[verb].answers else None
    wrong = case.head if VERBS[verb].corrects else None
    return Saying(source=source, verb=verb, to=to, case=subject, answers=answers, supersedes=wrong)


def of_handoff(case: Case, subject: str, key: Key, source: str, verb: str, other: str) -> Saying:
    """Say *verb* of a hand-off; *other* is who it is forwarded to."""
    handoff = case.handoffs[key]
    to = _told(case, handoff, source, verb)
    if verb == "handoff.forwarded":
        to = (handoff.sender, other)
    answers = handoff.opening if VERBS[verb].answers == "opening" else handoff.head
    wrong = handoff.opening if VERBS[verb].corrects else None
    return Saying(source=source, verb=verb, to=to, case=subject, about=key, answers=answers, supersedes=wrong)


def _told(case: Case, handoff: Handoff, source: str, verb: str) -> tuple[str, ...]:
    if verb in RECEIPTS["none"]:
        return (handoff.sender,)
    both = (handoff.sender, handoff.recipient)
    may = {*HANDOFFS[handoff.state], *TALK}
    part = next((part for part in parts_in(source, handoff, case) if f"{verb} by {part}" in may), "")
    sides = {"recipient": both[:1], "sender": both[1:]}
    return sides.get(part, tuple(address for address in both if agency(address) != source))


def moves_of_case(case: Case, subject: str, other: str) -> list[Saying]:
    """Return what may be said of the case by the tables."""
    speakers = {"party": sorted(case.parties | {case.owner}), "owner": [case.owner], "pending": [case.pending]}
    speakers["watcher"] = [WATCHER]
    return [
        of_case(case, subject, source, verb, other)
        for verb, part in (step.split(" by ") for step in CASES[case.state])
        for source in speakers[part]
    ]


def moves_of_handoff(case: Case, subject: str, key: Key, other: str) -> list[Saying]:
    """Return what may be said of a hand-off by the tables, talk left out."""
    handoff = case.handoffs[key]
    receipts = [f"{verb} by recipient" for verb in RECEIPTS[handoff.receipt]]
    return _said(case, subject, key, [*HANDOFFS[handoff.state], *receipts], other)


def talk(case: Case, subject: str, key: Key) -> list[Saying]:
    return _said(case, subject, key, sorted(TALK), "")


def _said(case: Case, subject: str, key: Key, steps: list[str], other: str) -> list[Saying]:
    handoff = case.handoffs[key]
    agencies = {
        "recipient": agency(handoff.recipient),
        "sender": handoff.sender,
        "owner": case.owner,
        "watcher": WATCHER,
    }
    return [
        of_handoff(case, subject, key, agencies[part], verb, other)
        for verb, part in (step.split(" by ") for step in steps)
    ]
