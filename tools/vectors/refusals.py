"""What may not follow in the stories, and why: cases, hand-offs, recipients, readers."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from referral_contracts.codes import Code
from referral_contracts.signing import Typ
from referral_contracts.verbs import Verb
from tools.vectors.cast import HOSPITAL, HOTLINE, WATCHER, Agency, event_id
from tools.vectors.stories import DISTRICT, HOUR_MS, LATE, POLICE, SCHOOL, TEMPLE, WARD_A, WARD_B, says
from tools.vectors.story import Saying
from tools.vectors.trials import Members, Trial, data

EVENT: Final = Typ.EVENT
_LONG: Final = 25 * HOUR_MS
"""After which a closed case is put away."""
_REF: Final = {"id": event_id(77), "sha256": "A" * 43}


def _trial(code: Code, name: str, comment: str, after: int, saying: Saying, **wrong: object) -> Trial:
    members: dict[str, Any] = {**wrong, "saying": saying, "after": after}
    return Trial(name=f"submission_{name}", comment=comment, code=code, **members)


def talking() -> Iterator[Trial]:
    yield from _members()
    yield from _recipients()
    yield from _readers()
    stale, illegal, party = Code.STALE_HEAD, Code.ILLEGAL_TRANSITION, Code.WRONG_PARTY
    own = says(HOTLINE, Verb.ACCEPTED, HOSPITAL, of=1, answers=1)
    yield _trial(party, "accepted_by_its_sender", "not its to say", 2, own)
    close = says(HOSPITAL, Verb.CASE_CLOSED, answers=0)
    yield _trial(party, "case_closed_by_a_party", "its owner's to say", 2, close)
    late = says(HOSPITAL, Verb.ACCEPTED, HOTLINE, of=1, answers=1)
    yield _trial(stale, "accepted_after_it_was_withdrawn", "something moved it before", 6, late)
    duplicate = says(HOSPITAL, Verb.RECEIVED, HOTLINE, of=1, answers=1)
    yield _trial(illegal, "received_twice", "a receipt is given once", 5, duplicate)
    head = says(HOSPITAL, Verb.RECEIVED, HOTLINE, of=1, answers=5)
    yield _trial(stale, "received_of_the_head", "a receipt answers the opening event", 6, head)
    follow = says(HOTLINE, Verb.OFFERED, POLICE, follows=1)
    yield _trial(illegal, "follows_what_is_open", "it has not ended", 2, follow)
    nothing = says(HOTLINE, Verb.OFFERED, POLICE, follows=0)
    yield _trial(Code.NOT_FOUND, "follows_nothing", "no hand-off has that head", 2, nothing)
    others = says(HOSPITAL, Verb.NOTIFIED, POLICE, follows=7)
    yield _trial(Code.NOT_FOUND, "follows_what_is_others", "somebody else asked, and owns the case", 8, others)
    strange = says(SCHOOL, Verb.CASE_NOTED, HOTLINE)
    yield _trial(Code.NOT_FOUND, "of_no_party", "a case of others: as if there were none", 2, strange)
    absent = says(HOTLINE, Verb.CASE_NOTED, HOSPITAL)
    yield _trial(Code.NOT_FOUND, "of_no_case", "a case that nobody has opened", 2, absent, new_case=True)
    last = says(HOTLINE, Verb.CASE_NOTED, HOSPITAL, wait_ms=2 * _LONG)
    yield _trial(Code.UNKNOWN_VERSION, "in_an_old_wire_version", "a version that is accepted no more", 2, last)
    void = says(HOTLINE, Verb.CASE_VOIDED, answers=0)
    yield _trial(Code.OPEN_HANDOFFS, "case_voided_too_early", "the hospital has not answered", 2, void)


def _members() -> Iterator[Trial]:
    code = Code.MALFORMED_ENVELOPE
    accept = says(HOSPITAL, Verb.ACCEPTED, HOTLINE, of=1, answers=1)
    note, offer = says(HOTLINE, Verb.CASE_NOTED, HOSPITAL), says(HOTLINE, Verb.OFFERED, POLICE)
    correct = says(HOTLINE, Verb.CORRECTED, HOSPITAL, of=1, answers=1, supersedes=1)
    wrong: dict[str, tuple[Saying, Mapping[str, object], str]] = {
        "follows_as_an_answer": (accept, {"follows": _REF}, "an answer opens no hand-off, and follows none"),
        "answers_nothing": (accept, {"answers": None}, "an answer to nothing"),
        "of_no_handoff": (accept, {"handoff": None}, "an answer within no hand-off"),
        "note_that_answers": (note, {"answers": _REF}, "a note answers nothing"),
        "note_within_a_handoff": (note, {"handoff": {"opening": _REF["id"], "recipient": "hospital-c"}}, "is no note"),
        "note_that_supersedes": (note, {"supersedes": _REF}, "what is no correction corrects nothing"),
        "correction_of_nothing": (correct, {"supersedes": None}, "a correction names what was wrong"),
        "offer_that_answers": (offer, {"answers": _REF}, "what opens a hand-off answers nothing"),
    }
    for name, (saying, members, comment) in wrong.items():
        yield _trial(code, name, comment, 2, saying, change=data(**members))
    strange = {"opening": _REF["id"], "recipient": "hospital-c"}
    yield _trial(Code.NOT_FOUND, "of_an_unknown_handoff", "no such hand-off", 2, accept, change=data(handoff=strange))


def _recipients() -> Iterator[Trial]:
    unknown, wrong = Code.UNKNOWN_RECIPIENT, Code.WRONG_RECIPIENTS

    def offered(*to: Agency) -> Saying:
        return says(HOTLINE, Verb.OFFERED, *to)

    yield _trial(unknown, "to_who_is_off_the_bus", "not on the bus", 2, offered(TEMPLE))
    desk = data(recipients=["police-b/night"])
    yield _trial(unknown, "to_an_unknown_desk", "a desk that it does not have", 2, offered(POLICE), change=desk)
    yield _trial(unknown, "to_a_stranger", "no entry", 2, offered(POLICE), change=data(recipients=["nobody"]))
    twice = data(recipients=["police-b", "police-b"])
    yield _trial(Code.REPEATED_RECIPIENT, "to_one_twice", "one address twice", 2, offered(POLICE), change=twice)
    yield _trial(Code.TOPIC_MISSING, "to_who_has_no_inbox", "nobody has made its inbox", 2, offered(LATE))
    yield _trial(wrong, "to_nobody", "an offer is told to somebody", 2, offered())
    yield _trial(wrong, "to_itself", "its own agency", 2, offered(HOTLINE))
    note = says(HOTLINE, Verb.CASE_NOTED)
    yield _trial(Code.ACCEPTED, "note_to_nobody", "what an agency did itself, and nobody else has to know", 2, note)
    yield _trial(Code.CLOCK_MISSING, "note_in_silence", "the watcher is told", 2, note, change=_not_timed)
    two = says(HOTLINE, Verb.CASE_TRANSFER_OFFERED, WARD_A, WARD_B, answers=0)
    yield _trial(wrong, "transfer_to_two", "a case has one owner", 10, two)
    other = says(HOSPITAL, Verb.ACCEPTED, POLICE, of=1, answers=1)
    yield _trial(wrong, "accepted_to_another", "an answer goes to who asked", 2, other)
    beside = says(HOSPITAL, Verb.ACCEPTED, HOTLINE, POLICE, of=1, answers=1)
    yield _trial(wrong, "accepted_to_one_more", "who was not asked beside it hears no answer", 2, beside)
    ask = says(HOSPITAL, Verb.OFFERED, POLICE)
    yield _trial(Code.NOT_PERMITTED, "offered_by_a_hospital", "a role that may not ask", 2, ask)
    apart = offered(POLICE, SCHOOL)
    yield _trial(Code.RECIPIENTS_APART, "to_two_apart", "roles that may not know of each other", 2, apart)


def _readers() -> Iterator[Trial]:
    code, offer = Code.WRONG_READERS, says(HOTLINE, Verb.OFFERED, POLICE)

    def without(name: str) -> Callable[[Members], None]:
        def change(told: Members) -> None:
            for section in told["data"]["sections"]:
                section["readers"] = [one for one in section["readers"] if one["address"] != name] or section["readers"]

        return change

    def to_another(told: Members) -> None:
        readers = told["data"]["sections"][0]["readers"]
        next(one for one in readers if one["address"] == POLICE.id)["address"] = SCHOOL.id

    def by_another_key(told: Members) -> None:
        readers = told["data"]["sections"][0]["readers"]
        next(one for one in readers if one["address"] == POLICE.id)["kid"] = SCHOOL.sealing.kid
        readers.sort(key=lambda one: one["kid"])

    def doubled(told: Members) -> None:
        told["data"]["sections"].append(told["data"]["sections"][1])

    def not_timed(told: Members) -> None:
        del told["data"]["sections"][1]

    yield _trial(code, "recipient_left_out", "a recipient that can open nothing", 2, offer, change=without(POLICE.id))
    yield _trial(code, "reader_who_is_no_recipient", "a reader that is not told", 2, offer, change=to_another)
    yield _trial(code, "reader_with_anothers_key", "a key of somebody else", 2, offer, change=by_another_key)
    yield _trial(code, "two_clocks", "two sections for the watcher", 2, offer, change=doubled)
    yield _trial(Code.CLOCK_MISSING, "without_a_clock", "no section for the watcher", 2, offer, change=not_timed)
    receipt = says(HOSPITAL, Verb.RECEIVED, HOTLINE, of=1, answers=1)
    bare = data(sections=[])
    yield _trial(Code.ACCEPTED, "receipt_without_sections", "a receipt needs none", 3, receipt, change=bare)


def chains() -> Iterator[Trial]:
    turned = says(WARD_A, Verb.FORWARDED, WARD_B, POLICE, of=2, at=1, answers=2)
    yield _trial(Code.WRONG_RECIPIENTS, "forwarded_the_next_first", "the next is named last", 3, turned)
    again = says(POLICE, Verb.RECALLED, WARD_A, of=2, at=1, answers=9)
    told = "the owner has ended the recall, and that lasts"
    yield _trial(Code.ILLEGAL_TRANSITION, "recalled_again", told, 10, again)


def duties() -> Iterator[Trial]:
    illegal = Code.ILLEGAL_TRANSITION
    decline = says(POLICE, Verb.DECLINED, HOTLINE, of=1, answers=1)
    yield _trial(illegal, "duty_declined", "a duty cannot be declined", 3, decline)
    alone = says(POLICE, Verb.FORWARDED, HOTLINE, of=1, answers=1)
    yield _trial(Code.WRONG_RECIPIENTS, "forwarded_to_nobody", "a duty goes to somebody", 3, alone)
    silent = says(POLICE, Verb.FORWARDED, WARD_A, of=1, answers=1)
    yield _trial(Code.WRONG_RECIPIENTS, "forwarded_in_silence", "who assigned it is told", 3, silent)
    close = says(HOTLINE, Verb.CASE_CLOSED, answers=0)
    yield _trial(Code.OPEN_HANDOFFS, "case_closed_too_early", "somebody still has to act", 3, close)
    ends = says(HOTLINE, Verb.CANCELLED, WARD_A, POLICE, of=3, at=1, answers=5)
    yield _trial(Code.ACCEPTED, "cancelled_by_the_owner", "a hand-off between two others", 6, ends)
    half = says(HOTLINE, Verb.CANCELLED, WARD_A, of=3, at=1, answers=5)
    yield _trial(Code.WRONG_RECIPIENTS, "cancelled_to_one_side", "the owner tells both", 6, half)
    late = says(WARD_A, Verb.FORWARDED, POLICE, WARD_B, of=3, at=1, answers=5)
    yield _trial(Code.ACCEPTED, "forwarded_after_it_was_accepted", "not competent, as it turned out", 6, late)
    rests = says(WARD_A, Verb.FORWARDED, POLICE, WARD_B, of=3, at=1, answers=9)
    yield _trial(Code.ACCEPTED, "forwarded_while_it_rests", "not competent, as it turned out", 10, rests)
    asked = says(HOSPITAL, Verb.FORWARDED, HOTLINE, WARD_B, of=18, at=1, answers=19)
    yield _trial(illegal, "forwarded_though_no_duty", "what was only asked for is given back", 20, asked)
    beside = says(WARD_A, Verb.PROGRESSED, HOTLINE, of=18, at=1, answers=19)
    yield _trial(Code.NOT_FOUND, "of_others_handoff", "a party of the case, and nothing to it", 20, beside)
    on = replace(says(POLICE, Verb.FORWARDED, HOTLINE, WARD_B, of=1, answers=3), wait_ms=7 * HOUR_MS)
    yield _trial(
        Code.ID_REUSED, "forwarded_under_an_old_id", "an id that has opened some, and is forgotten", 4, on, again=3
    )
    again = says(HOTLINE, Verb.OFFERED, WARD_B)
    again = replace(again, wait_ms=7 * HOUR_MS)
    yield _trial(
        Code.ID_REUSED, "opened_under_an_old_id", "an id that has opened some, and is forgotten", 21, again, again=18
    )
    back = says(POLICE, Verb.RETURNED, HOTLINE, of=1, answers=12)
    yield _trial(
        Code.ACCEPTED, "duty_given_back", "why is sealed: whoever assigned it sees it, the bus does not", 13, back
    )


def cases() -> Iterator[Trial]:
    offer = says(WARD_B, Verb.OFFERED, POLICE)
    yield _trial(Code.ILLEGAL_TRANSITION, "offered_in_a_closed_case", "it is closed", 10, offer)
    old = says(WARD_B, Verb.CASE_CLOSED, answers=0)
    yield _trial(Code.STALE_HEAD, "case_closed_by_an_old_head", "the case has moved on", 5, old)
    early = says(HOTLINE, Verb.CASE_CLOSED, answers=1)
    yield _trial(Code.ILLEGAL_TRANSITION, "case_closed_while_offered", "it may be another's soon", 2, early)
    mute = says(WARD_A, Verb.CASE_TRANSFER_DECLINED, answers=1)
    yield _trial(Code.WRONG_RECIPIENTS, "transfer_declined_to_nobody", "the owner is told", 2, mute)
    back = says(HOTLINE, Verb.CASE_TRANSFER_WITHDRAWN, WARD_A, answers=1)
    yield _trial(Code.ACCEPTED, "transfer_withdrawn", "its owner keeps it, and says so to who was asked", 2, back)
    other = says(HOTLINE, Verb.CASE_TRANSFER_WITHDRAWN, WARD_B, answers=1)
    yield _trial(Code.WRONG_RECIPIENTS, "transfer_withdrawn_to_another", "who was asked is told", 2, other)
    late = says(HOTLINE, Verb.CASE_TRANSFER_WITHDRAWN, WARD_A, answers=2)
    yield _trial(Code.ILLEGAL_TRANSITION, "transfer_withdrawn_too_late", "it was declined before", 3, late)
    note = says(WARD_B, Verb.CASE_NOTED, HOTLINE, wait_ms=_LONG)
    yield _trial(Code.ARCHIVED, "of_an_archived_case", "its owner can only reopen it", 14, note)
    other = says(HOTLINE, Verb.CASE_NOTED, WARD_B, wait_ms=_LONG)
    yield _trial(Code.NOT_FOUND, "of_an_archived_case_of_another", "to all others it is gone", 14, other)
    former = says(HOSPITAL, Verb.CASE_NOTED, WARD_B)
    yield _trial(Code.NOT_FOUND, "of_a_restored_case", "who was a party is one again when it is told", 15, former)
    nowhere = says(WARD_B, Verb.RECALLED, HOSPITAL, of=15, answers=16)
    yield _trial(Code.ILLEGAL_TRANSITION, "recalled_before_it_arrived", "nobody is known to hold it", 17, nowhere)
    back = says(WARD_B, Verb.CASE_REOPENED, answers=17)
    yield _trial(Code.ILLEGAL_TRANSITION, "reopened_after_it_was_voided", "it is never opened again", 18, back)


def deadlines() -> Iterator[Trial]:
    """Yield what is wrong after ward A was told of a clock; at the end the case is closed."""
    missed, wrong = Verb.DEADLINE_MISSED, Code.WRONG_RECIPIENTS
    ward = says(WARD_A, missed, HOTLINE)
    yield _trial(Code.WRONG_PARTY, "deadline_by_a_party", "the watcher's to say alone", 3, ward)
    stranger = says(SCHOOL, missed, HOTLINE)
    yield _trial(Code.NOT_FOUND, "deadline_by_a_stranger", "nobody else learns of a case by it", 3, stranger)
    nobody = says(WATCHER, missed)
    yield _trial(wrong, "deadline_to_nobody", "it is told to somebody", 3, nobody)
    yield _trial(wrong, "deadline_to_two", "each is told by itself", 3, says(WATCHER, missed, WARD_A, DISTRICT))
    yield _trial(wrong, "deadline_to_itself", "the watcher knows it", 3, says(WATCHER, missed, WATCHER))
    away = says(WATCHER, missed, TEMPLE)
    yield _trial(Code.UNKNOWN_RECIPIENT, "deadline_to_who_is_off_the_bus", "not on the bus", 3, away)
    school = says(WATCHER, missed, SCHOOL)
    yield _trial(Code.ACCEPTED, "deadline_to_who_is_no_party", "whoever may send what to whom", 3, school)
    answer = {"answers": _REF}
    told = says(WATCHER, missed, WARD_A)
    yield _trial(Code.MALFORMED_ENVELOPE, "deadline_that_answers", "it answers nothing", 3, told, change=data(**answer))
    note = says(WATCHER, Verb.CASE_NOTED, WARD_A)
    yield _trial(Code.NOT_FOUND, "deadline_watcher_notes", "it is no party by what it said", 6, note)
    absent = says(WATCHER, missed, WARD_A)
    yield _trial(Code.NOT_FOUND, "deadline_of_no_case", "a case that nobody has opened", 3, absent, new_case=True)
    late = says(WATCHER, missed, WARD_A, wait_ms=_LONG)
    yield _trial(Code.ARCHIVED, "deadline_of_an_archived_case", "it is put away", 14, late)
    void = says(WATCHER, missed, WARD_A)
    yield _trial(Code.ILLEGAL_TRANSITION, "deadline_of_a_voided_case", "entered in error", 16, void)
    unknown = says(SCHOOL, Verb.CLOCK_DISPUTED)
    yield _trial(Code.NOT_FOUND, "clock_disputed_by_a_stranger", "a case of others", 3, unknown)
    untold = says(WARD_A, Verb.CLOCK_DISPUTED)
    yield _trial(Code.CLOCK_MISSING, "clock_disputed_in_silence", "the watcher is told", 3, untold, change=_not_timed)


def moves() -> Iterator[Trial]:
    astray = says(DISTRICT, Verb.MOVED, HOTLINE, POLICE, of=3, answers=3)
    yield _trial(Code.WRONG_RECIPIENTS, "moved_to_another", "no successor of it", 4, astray)
    mute = says(DISTRICT, Verb.MOVED, WARD_B, of=3, answers=3)
    yield _trial(Code.WRONG_RECIPIENTS, "moved_in_silence", "the other side is told", 4, mute)
    gone = says(HOTLINE, Verb.OFFERED, DISTRICT)
    yield _trial(Code.UNKNOWN_RECIPIENT, "to_who_has_ended", "an agency that has ended", 7, gone)
    second = says(WARD_B, Verb.COMPLETED, HOTLINE, of=1, answers=2, wait_ms=HOUR_MS)
    yield _trial(Code.NOT_FOUND, "by_the_second_successor", "the first speaks, until it is moved", 6, second)
    later = says(WARD_A, Verb.MOVED, HOTLINE, WARD_B, of=1, answers=2, wait_ms=HOUR_MS)
    yield _trial(Code.ACCEPTED, "moved_by_the_speaker", "a side of one that has ended", 6, later)
    note = says(HOTLINE, Verb.CASE_NOTED, POLICE)
    yield _trial(Code.WRONG_EXERCISE, "in_earnest", "the case is an exercise", 2, note, change=_in_earnest)
    strange = says(SCHOOL, Verb.CASE_NOTED, HOTLINE)
    yield _trial(Code.NOT_FOUND, "in_earnest_of_no_party", "nobody else learns that", 2, strange, change=_in_earnest)


def _in_earnest(told: Members) -> None:
    told["exercise"] = False


def _not_timed(told: Members) -> None:
    del told["data"]["sections"][1]
